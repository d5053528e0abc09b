"""`garage-like diff`: what two runs differ in, and where they part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from garage_like.audit.component_diff import PartDiff
from garage_like.audit.run_diff import Change, RunDiff, diff_runs
from garage_like.cli import printing
from garage_like.cli.completing import RunType, complete_epochs
from garage_like.errors import SnapshotError

SHOWN = 12


@click.command(epilog="Example: garage-like diff runs/ppo runs/ppo_1")
@click.argument("a", metavar="RUN_A", type=RunType("here"))
@click.argument("b", metavar="RUN_B", type=RunType("here"))
@click.option(
    "--epoch",
    type=click.IntRange(0),
    shell_complete=complete_epochs,
    help="Compare this epoch alone.",
)
@printing.json_option
@click.pass_context
def diff(ctx: click.Context, a: Path, b: Path, epoch: int | None, as_json: bool) -> None:
    """Tell what RUN_A and RUN_B differ in, and since when.

    Compares parameters, versions, rows of the log, and, in every epoch of which both have a
    snapshot, random generators, weights and replay memory, up to the first epoch that differs.
    Files are read as data: nothing is unpickled.

    Exits with 0 if all is equal, 1 if something differs, 2 if there is nothing to compare.
    """
    try:
        found = diff_runs(a, b, epoch)
    except SnapshotError as error:
        raise printing.Trouble(" ".join(str(error).split())) from error
    if as_json:
        printing.print_json({**asdict(found), "equal": found.equal})
    else:
        _print(found)
    ctx.exit(0 if found.equal else 1)


def _print(found: RunDiff) -> None:
    _table("Parameters", ["", "a", "b"], map(_change, found.parameters))
    _table("Options", ["", "a", "b"], map(_change, found.options))
    _table("Changed since they began", ["", "a", "b"], map(_change, found.settings))
    _table("Made with", [""], ([phrase] for phrase in found.versions))
    _table(
        "Log, since epoch",
        ["", "", "a", "b"],
        (
            [str(metric.epoch), metric.column, str(metric.a), str(metric.b)]
            for metric in found.metrics
        ),
    )
    if found.epoch is not None:
        _table(f"Snapshots of epoch {found.epoch}", ["", "", "", ""], map(_part, found.parts))
    printing.echo(found.verdict)


def _change(change: Change) -> list[str]:
    return [change.name, *map(_value, (change.a, change.b))]


def _value(value: Any) -> str:
    return printing.NOTHING if value is None else str(value)


def _part(part: PartDiff) -> list[str]:
    if part.only_in is not None:
        return [part.kind, part.name, part.first or "", f"only in {part.only_in}"]
    number = "" if part.num_differing == 1 else f"{part.num_differing} differ"
    largest = "" if part.largest is None else f"by up to {part.largest:.2g}"
    return [part.kind, part.name, part.first or "", ", ".join(filter(None, (largest, number)))]


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    cells = list(rows)
    if not cells:
        return
    printing.secho(title, bold=True)
    hidden = len(cells) - SHOWN
    if hidden > 1:
        cells = [*cells[:SHOWN], [f"… {hidden} more", *[""] * (len(headings) - 1)]]
    columns = {heading or " " * place: False for place, heading in enumerate(headings)}
    printing.print_table(columns, {"": cells}, folded=list(columns)[-1])
    printing.echo()
