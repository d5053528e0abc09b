"""What commands print: JSON for programs; for people, tables with numbers made short."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

NOTHING = "-"

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs instead of text."
)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def print_table(
    columns: Mapping[str, bool], rows: Iterable[Sequence[str]], *, folded: str, heading: bool = True
) -> None:
    """Print a table without lines.

    Args:
        columns: headings, and whether the column holds numbers, which end at its right edge.
        rows: cells as text.
        folded: heading of the column that takes several lines where the terminal is narrow.
        heading: whether to print the headings.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, pad_edge=False, padding=(0, 1), show_header=heading, header_style="bold"
    )
    for name, is_number in columns.items():
        table.add_column(
            name,
            justify="right" if is_number else "left",
            no_wrap=name != folded,
            overflow="fold" if name == folded else "ellipsis",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def short_count(number: float | None) -> str:
    """Shorten a count: 950, 40,960, 1.23M."""
    if number is None:
        return NOTHING
    for size, suffix in ((1e9, "G"), (1e6, "M")):
        if abs(number) >= size:
            return f"{number / size:.2f}{suffix}"
    return f"{number:,.0f}"


def short_number(value: Any) -> str:
    """Shorten a number to what a person compares: 475.3, 0.01234, 1.5e-07."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or value.is_integer():
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:,.1f}" if 100 <= abs(value) < 1e9 else f"{value:.4g}"


def short_bytes(number: float) -> str:
    """Shorten a size: 512 B, 1.4 MB."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while number >= 999.5 and len(units) > 1:
        number, units = number / 1000, units[1:]
    digits = 0 if units[0] == "B" or number >= 99.5 else 1
    return f"{number:.{digits}f} {units[0]}"


def short_seconds(seconds: float) -> str:
    """Shorten a duration: 45 s, 12 min, 3 h, 9 d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def age(unix_time: float) -> str:
    """Say how long ago a moment was."""
    return short_seconds(time.time() - unix_time)
