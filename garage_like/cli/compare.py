"""`garage-like compare`: many runs side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import ColumnType, RunType

if TYPE_CHECKING:
    from garage_like.runs.comparing import Comparison

_FEW_RUNS = 4


@click.command(epilog="Example: garage-like compare data/local/experiment --metrics policy/Entropy")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RunType("here"))
@click.option(
    "--metrics", type=ColumnType(), default="", metavar="NAMES", help="Columns of the log, too."
)
@click.option("--all", "show_all", is_flag=True, help="Show what all runs have in common, too.")
@printing.csv_option
@printing.json_option
def compare(
    runs: tuple[Path, ...], metrics: str, show_all: bool, as_csv: bool, as_json: bool
) -> None:
    """Show what sets runs apart, and what came of it.

    That is parameters, and arguments of parts that differ, beside the results. RUN is a run
    directory, or a folder of such. `diff` looks into two runs more closely.
    """
    from garage_like.runs.comparing import compare_runs, runs_of
    from garage_like.runs.selection import check_names

    more = [name.strip() for name in metrics.split(",") if name.strip()]
    try:
        found = runs_of(runs, sizes="size" in more)
        check_names(more, found)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    compared = compare_runs(found, more)
    if as_json:
        printing.print_json(asdict(compared))
        return
    names = [*compared.values[0], *(compared.same if show_all else ())]
    rows = [[values.get(n, compared.same.get(n)) for n in names] for values in compared.values]
    if as_csv:
        pairs = zip(compared.runs, rows, strict=True)
        printing.print_csv(["run", *names], ([run, *row] for run, row in pairs))
        return
    _print(compared, names, rows)


def _print(compared: Comparison, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a column for each run if they are few, else a line."""
    shown = _shown_names(compared.runs)
    cells = [[_shown(value) for value in row] for row in rows]
    if len(rows) <= _FEW_RUNS:
        turned = [list(row) for row in zip(names, *cells, strict=True)]
        columns = {" ": False, **dict.fromkeys(shown, True)}
        printing.print_table(columns, {"": turned}, folded=" ")
        return
    columns = {"run": False, **dict.fromkeys(names, True)}
    lines = [[name, *row] for name, row in zip(shown, cells, strict=True)]
    printing.print_table(columns, {"": lines}, folded="run")


def _shown_names(runs: Sequence[str]) -> list[str]:
    """Return what sets the paths apart."""
    whole = [os.path.abspath(run) for run in runs]
    common = os.path.commonpath([os.path.dirname(path) for path in whole])
    return [os.path.relpath(path, common) for path in whole]


def _shown(value: Any) -> str:
    if isinstance(value, dict | list | bool):
        return json.dumps(value)
    return printing.short_number(value)
