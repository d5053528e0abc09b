"""`garage-like tree`: which run was branched from which."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from garage_like.cli import printing
from garage_like.runs.family import Member, families


@click.command(epilog="Example: garage-like tree data/local/experiment")
@click.argument("root", metavar="[DIR]", default="data/local", type=click.Path(path_type=Path))
@printing.json_option
def tree(root: Path, as_json: bool) -> None:
    """Draw the families of the runs below DIR (data/local).

    A run that was branched from another, or resumed into a new directory, hangs below it, with the
    epoch that it began with.
    """
    if not root.is_dir():
        raise click.ClickException(f"{root}: no such directory; expected a folder that holds runs")
    found = families(root)
    if as_json:
        printing.print_json([asdict(member) for member in found])
    elif not found:
        printing.echo(f"No runs below {root}")
    else:
        _print(found, root)


def _print(found: list[Member], root: Path) -> None:
    printing.echo(str(root))
    left, below_root = _placed(found, ""), os.path.realpath(root)
    while left:
        member, indent, is_last = left.pop()
        below = indent + ("    " if is_last else "│   ")
        printing.print_branch(
            _line(member, below_root), indent + ("└── " if is_last else "├── "), below
        )
        left += _placed(member.children, below)


def _placed(members: Sequence[Member], indent: str) -> list[tuple[Member, str, bool]]:
    """Return members, the first of them last, with what stands before each, and which ends."""
    return [(member, indent, number == 0) for number, member in enumerate(reversed(members))]


def _line(member: Member, root: str) -> str:
    place = os.path.realpath(member.run)
    below = os.path.commonpath([place, root]) == root
    shown = os.path.relpath(place, root) if below else member.run
    if not member.present:
        return f"{shown} (gone)"
    how_far = "" if member.last_epoch is None else f"  epoch {member.last_epoch}"
    began = "" if member.from_epoch is None else f", from epoch {member.from_epoch}"
    changed = "".join(f", {_told(change)}" for change in member.changes)
    return f"{shown if shown != '.' else os.path.basename(place)}{how_far}{began}{changed}"


def _told(change: Mapping[str, Any]) -> str:
    return f"{change['name']} {json.dumps(change.get('now'))} from epoch {change['epoch']}"
