"""`garage-like sweep`: many runs of one script, by their parameters."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing

if TYPE_CHECKING:
    from garage_like.sweeps import Outcome


@click.command(
    epilog="Example: garage-like sweep ppo.py --set lr=1e-3,3e-4 --seeds 5 --jobs 2",
)
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUES",
    help="Values of a parameter, 1e-3,3e-4; or the ends of a range, 1e-4..1e-2.",
)
@click.option(
    "--seeds", type=click.IntRange(min=0), default=0, help="Run each so often, with seed=1, 2 ..."
)
@click.option(
    "--search",
    type=click.Choice(["grid", "random"]),
    default="grid",
    show_default=True,
    help="Try every combination, or draw.",
)
@click.option("--trials", type=click.IntRange(min=1), help="How many to draw.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="Processes at a time.")
@click.option(
    "--metric",
    default="Evaluation/AverageReturn",
    show_default=True,
    help="Column that trials are judged by.",
)
@click.option(
    "--mode",
    type=click.Choice(["max", "min"]),
    default="max",
    show_default=True,
    help="Whether more is better.",
)
@click.option("--dir", "directory", type=click.Path(path_type=Path), help="Of the sweep.")
@printing.json_option
def sweep(
    script: Path,
    arguments: tuple[str, ...],
    given: tuple[str, ...],
    seeds: int,
    search: str,
    trials: int | None,
    jobs: int,
    metric: str,
    mode: str,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Run SCRIPT once for each combination of settings.

    SCRIPT calls one function decorated with wrap_experiment, which takes the parameters that vary;
    ARGUMENTS are the script's own. Each trial is an ordinary run below data/local/sweeps/SCRIPT.
    Killed and started again, the sweep goes on: what has ended stays, what has not resumes.
    """
    from garage_like.sweeps import Sweep, parse_setting

    if (search == "random") != (trials is not None):
        raise click.UsageError("--search random and --trials N go together")
    where = directory or Path("data/local/sweeps") / script.stem
    try:
        settings = [parse_setting(text) for text in given]
        made = Sweep(
            where,
            script,
            settings,
            seeds=seeds,
            trials=trials,
            arguments=arguments,
            metric=metric,
            mode=mode,
        )
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    made.run(jobs, (lambda outcome: None) if as_json else _tell)
    outcomes, best = made.outcomes(), made.best()
    if as_json:
        printing.print_json([_as_json(outcome) for outcome in outcomes])
    elif best is not None:
        printing.echo(f"best: trial {best.number:04d}, {metric} {best.metric:g}: {_shown(best)}")
    if any(outcome.status != 0 for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _tell(outcome: Outcome) -> None:
    how = {0: "done", None: "stopped, goes on next time"}.get(outcome.status)
    said = how or f"failed with status {outcome.status}, see {outcome.run}.log"
    metric = "" if outcome.metric is None else f"{outcome.metric:g}, "
    printing.echo(f"{outcome.number:04d}  {_shown(outcome)}  {metric}{said}")


def _shown(outcome: Outcome) -> str:
    return " ".join(f"{name}={value}" for name, value in outcome.parameters.items())


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "run": str(outcome.run)}
