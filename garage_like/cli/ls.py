"""`garage-like ls`: the runs below a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.cli.printing import NOTHING
from garage_like.runs.overview import Overview, find_runs, overview

COLUMNS = {
    "run": False,
    "algo": False,
    "env": False,
    "epochs": True,
    "steps": True,
    "return": True,
    "size": True,
    "age": True,
    "exact": False,
}


@click.command(epilog="Example: garage-like ls data/local/experiment")
@click.argument("root", default="data/local", type=click.Path(path_type=Path))
@printing.json_option
def ls(root: Path, as_json: bool) -> None:
    """List the runs below ROOT (data/local).

    Runs are shown folder by folder, and the one that trained last comes last. Epochs are those
    finished and those in total; the return is the average of the last snapshot's epoch; the age
    counts from that snapshot; exact says whether a resume is bit-identical.
    """
    if not root.is_dir():
        raise click.ClickException(f"{root}: no such directory; expected a folder that holds runs")
    runs = sorted(map(overview, find_runs(root)), key=lambda run: run.updated)
    if as_json:
        printing.print_json([asdict(run) for run in runs])
    elif not runs:
        printing.echo(f"No runs below {root}")
    else:
        _print(runs, root)


def _print(runs: list[Overview], root: Path) -> None:
    groups: dict[str, list[list[str]]] = {}
    for run in runs:
        folder = str(Path(run.run).relative_to(root).parent)
        title = "" if folder == "." else f"{folder}/"
        groups[title] = [*groups.pop(title, []), _cells(run)]  # now the last of the groups
    printing.print_table(COLUMNS, groups, folded="run", gap=1)
    for run in runs:
        for line in printing.damage(run.problems):
            printing.echo(line, err=True)


def _cells(run: Overview) -> list[str]:
    epochs = NOTHING if run.last_epoch is None else f"{run.last_epoch + 1}/{run.n_epochs or '?'}"
    return [
        Path(run.run).name or run.run,
        run.algorithm or NOTHING,
        run.environment or NOTHING,
        epochs,
        printing.brief_count(run.total_env_steps),
        printing.short_number(run.last_return),
        printing.short_bytes(run.bytes),
        printing.brief_age(run.updated),
        NOTHING if run.exact is None else "yes" if run.exact else "no",
    ]
