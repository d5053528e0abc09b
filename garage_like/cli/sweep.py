"""`garage-like sweep`: many runs of one script, by their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import ColumnType
from garage_like.logging.notices import printing_forgiven

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
    type=click.Choice(["grid", "random", "optuna"]),
    default="grid",
    show_default=True,
    help="Try every combination, draw, or let Optuna learn from earlier trials.",
)
@click.option("--trials", type=click.IntRange(min=1), help="How many to draw, or to suggest.")
@click.option(
    "--prune", type=click.Choice(["asha"]), help="Give up trials that do badly, by rungs of epochs."
)
@click.option(
    "--grace",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Epochs before the first rung; the next ones lie at 3, 9, 27 ... times as many.",
)
@click.option(
    "--population",
    type=click.IntRange(min=2),
    help="Train so many at once, the worst going on from the best.",
)
@click.option(
    "--interval",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Epochs of a population's round.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="Processes at a time.")
@click.option(
    "--on",
    "where",
    type=click.Choice(["local", "ray", "slurm"]),
    default="local",
    show_default=True,
    help="Where trials run; machines must share the directory.",
)
@click.option("--slurm-option", multiple=True, metavar="OPTION", help="Of sbatch, --time=4:00:00.")
@click.option(
    "--metric",
    type=ColumnType(),
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
    prune: str | None,
    grace: int,
    population: int | None,
    interval: int,
    jobs: int,
    where: str,
    slurm_option: tuple[str, ...],
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
    from garage_like.sweeps import CARRIERS, Population, Rungs, Sweep, parse_setting, slurm

    if (search != "grid") != (trials is not None):
        raise click.UsageError("--search random or optuna and --trials N go together")
    if population is not None and (search != "grid" or prune is not None):
        raise click.UsageError("--population draws by itself; leave --search and --prune out")
    if not as_json:  # which is a result; all else only tells
        click.get_current_context().with_resource(printing_forgiven())
    place = directory or Path("data/local/sweeps") / script.stem
    carrier = slurm(slurm_option) if where == "slurm" else CARRIERS[where]
    common: dict[str, Any] = {
        "arguments": arguments,
        "metric": metric,
        "mode": mode,
        "carrier": carrier,
    }
    made: Sweep | Population
    try:
        settings = [parse_setting(text) for text in given]
        if population is not None:
            made = Population(
                place,
                script,
                settings,
                population,
                interval=interval,
                seeds=seeds > 0,
                **common,
            )
        else:
            rungs = None if prune is None else Rungs(grace)
            made = Sweep(
                place,
                script,
                settings,
                seeds=seeds,
                trials=trials,
                search=search,
                rungs=rungs,
                **common,
            )
        made.run(jobs, (lambda outcome: None) if as_json else _tell)
    except (ValueError, FileNotFoundError, ModuleNotFoundError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    except KeyboardInterrupt:
        printing.echo("stopped; the same command goes on", err=True)
        raise
    outcomes, best = made.outcomes(), made.best()
    if as_json:
        printing.print_json([_as_json(outcome) for outcome in outcomes])
    elif best is not None:
        printing.echo(f"best: trial {best.run.name}, {metric} {best.metric:g}: {_shown(best)}")
    for why, names in _amiss(outcomes).items():
        again = f"remove its .done.json in {place} to try one again"
        printing.echo(f"{why}: {', '.join(names)}; {again}", err=True)
    if any(outcome.status != 0 for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _amiss(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return the names of trials that count as ended and have no result, by what they lack."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.status:
            found.setdefault("failed", []).append(outcome.run.name)
        elif outcome.status == 0 and not outcome.run.is_dir():
            found.setdefault("their runs are gone", []).append(outcome.run.name)
    return found


def _tell(outcome: Outcome) -> None:
    how = {0: "done", None: "stopped, goes on next time"}.get(outcome.status)
    if outcome.pruned:
        how = f"given up after {(outcome.epoch or 0) + 1} epochs"
    said = how or f"failed with status {outcome.status}, see {outcome.run}.log"
    metric = "" if outcome.metric is None else f"{outcome.metric:g}, "
    printing.echo(f"{outcome.run.name}  {_shown(outcome)}  {metric}{said}")


def _shown(outcome: Outcome) -> str:
    return " ".join(f"{name}={value}" for name, value in outcome.parameters.items())


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "run": str(outcome.run)}
