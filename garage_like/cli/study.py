"""`garage-like study`: how methods compare over seeds and tasks, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import ColumnType, RunType
from garage_like.cli.seed_option import seed_option
from garage_like.runs.overview import RETURN

if TYPE_CHECKING:
    from garage_like.studies.estimates import Estimate
    from garage_like.studies.methods import Study


def _scales(
    ctx: click.Context, param: click.Parameter, given: Sequence[str]
) -> dict[str, tuple[float, float]]:
    scales = {}
    for text in given:
        task, _, ends = text.rpartition("=")
        low, _, high = ends.partition("..")
        try:
            scales[task] = float(low), float(high)
        except ValueError as error:
            message = f"expected TASK=LOW..HIGH, such as CartPole-v1=0..500, got {text!r}"
            raise click.BadParameter(message) from error
    return scales


@click.command(epilog="Example: garage-like study data/local/experiment --scale CartPole-v1=0..500")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RunType("here"))
@click.option(
    "--by",
    type=ColumnType(),
    default="algo",
    show_default=True,
    help="Column or parameter that tells methods apart.",
)
@click.option(
    "--task", type=ColumnType(), default="env", show_default=True, help="The one that tells tasks."
)
@click.option(
    "--metric", type=ColumnType(), default=RETURN, show_default=True, help="Column of the log."
)
@click.option(
    "--last",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Rows of the log that a run's score is the mean of.",
)
@click.option(
    "--scale",
    "scales",
    multiple=True,
    metavar="TASK=LOW..HIGH",
    callback=_scales,
    help="What 0 and 1 stand for; else the worst and the best run, if there are several tasks.",
)
@click.option(
    "--reps", type=click.IntRange(1), default=50_000, show_default=True, help="Resamples."
)
@seed_option(0, "Of the bootstrap.")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw aggregates and performance profiles: png, svg or pdf.",
)
@printing.csv_option
@printing.json_option
def study(
    runs: tuple[Path, ...], out: Path | None, as_csv: bool, as_json: bool, **options: Any
) -> None:
    """Compare methods over seeds and tasks, honestly.

    Mean, interquartile mean (IQM) and optimality gap have stratified bootstrap intervals, and so
    has the probability that a run of one method beats one of another. RUN is a run directory, or a
    folder of such.
    """
    from garage_like.studies.methods import study as study_of

    try:
        found = study_of(*runs, **options)
        if out is not None:
            _draw(found, out, options["metric"])
    except (ValueError, OSError, ModuleNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        printing.print_json(_as_json(found))
    elif as_csv:
        _print_csv(found)
    else:
        _print(found)
        if out is not None:
            printing.echo(f"Drawn in {out}")
    for line in found.scores.left_out:
        printing.echo(f"left out: {line}", err=True)


def _draw(found: Study, out: Path, metric: str) -> None:
    from garage_like.runs.drawing import draw_study

    taus, profiles = found.profiles()
    score = f"{metric}, scaled" if found.scores.scales else metric
    draw_study(found.aggregates(), taus, profiles, score, out)


def _print(found: Study) -> None:
    from garage_like.studies.methods import shown

    scores, aggregates = found.scores, found.aggregates()
    count = len(next(iter(scores.methods.values())))
    printing.echo(f"{printing.count(count, 'run')} each on {', '.join(scores.tasks)}")
    names = list(next(iter(aggregates.values())))
    rows = [[method, *(shown(one[n]) for n in names)] for method, one in aggregates.items()]
    printing.print_table(
        {"method": False, **dict.fromkeys(names, False)}, {"": rows}, folded="method"
    )
    pairs = found.improvements()
    if pairs:
        printing.echo()
        chances = [[f"{one} > {other}", shown(chance)] for (one, other), chance in pairs.items()]
        headings = {"probability of improvement": False, " ": False}
        printing.print_table(headings, {"": chances}, folded="probability of improvement")
    printing.echo()
    for task, (low, high) in scores.scales.items():
        ends = " to ".join(map(printing.short_number, (low, high)))
        printing.echo(f"{task}: 0 to 1 stand for {ends}")
    percent = f"{100 * found.confidence:.6g}%"
    printing.echo(f"{percent} intervals of a stratified bootstrap over seeds, seed {found.seed}")
    if count == 1:
        printing.echo("There is one run of each: nothing is known of how seeds differ")


def _as_json(found: Study) -> dict[str, Any]:
    taus, profiles = found.profiles()
    scores = found.scores
    return {
        "tasks": scores.tasks,
        "scales": scores.scales,
        "left_out": scores.left_out,
        "scores": {method: matrix.tolist() for method, matrix in scores.methods.items()},
        "confidence": found.confidence,
        "seed": found.seed,
        "aggregates": {
            method: {name: _plain(one) for name, one in of.items()}
            for method, of in found.aggregates().items()
        },
        "improvements": [
            {"method": one, "over": other, **_plain(chance)}
            for (one, other), chance in found.improvements().items()
        ],
        "profiles": {
            "taus": taus.tolist(),
            **{method: _plain(one) for method, one in profiles.items()},
        },
    }


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {name: getattr(estimate, name).tolist() for name in ("value", "low", "high")}


def _print_csv(found: Study) -> None:
    rows = [
        [method, name, *_plain(one).values()]
        for method, of in found.aggregates().items()
        for name, one in of.items()
    ]
    rows += [
        [one, f"probability of improvement over {other}", *_plain(chance).values()]
        for (one, other), chance in found.improvements().items()
    ]
    printing.print_csv(["method", "estimate", "value", "low", "high"], rows)
