"""What commands print: JSON for programs; for people, tables with numbers made short."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import os
import shlex
import shutil
import sys
import time
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from garage_like.logging.notices import printable

NOTHING = "-"
_LEAST_FOLDED = 12
_LINES_AT_ONCE = 100

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs instead of text."
)

csv_option = click.option(
    "--csv", "as_csv", is_flag=True, help="Print CSV for programs instead of text."
)

dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be removed.")

trust_option = click.option(
    "--trust", is_flag=True, help="Build objects though another user wrote them: runs their code."
)


class Trouble(click.ClickException):
    """Something went wrong in a command whose exit status 1 is an answer: exit with 2."""

    exit_code = 2


def told(text: str) -> str:
    """Return a line as it is printed: copies of what URLs hold are called by their URLs."""
    if "/garage_like-" in text:
        from garage_like.snapshot.mirror.reading import by_url

        text = by_url(text)
    return printable(text)


def echo(text: str | None = "", *, err: bool = False) -> None:
    """Print a line that may hold what a run says of itself."""
    click.echo(told(text or ""), err=err)


def secho(text: str, *, bold: bool | None = None, dim: bool | None = None) -> None:
    """Print such a line in a style of its own."""
    click.secho(told(text), bold=bold, dim=dim)


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print warnings of the block to standard error, without the place in the source."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        echo(f"Warning: {message}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def print_branch(text: str, first: str, others: str) -> None:
    """Print a text after the lines of a tree, where the terminal is narrow in several lines.

    Args:
        text: to print.
        first: what stands before its first line.
        others: what stands before each other line, as wide as that.
    """
    width = max(_terminal_width() - len(first), _LEAST_FOLDED)
    for number, piece in enumerate(_pieces(_cell(text, is_folded=False), width)):
        click.echo((others if number else first) + piece)


def print_json(value: Any, **lists: Iterable[Any]) -> None:
    """Print a value as JSON.

    Args:
        value: an object, if there are lists.
        lists: under further keys of it, of any length: not held in memory, and a line an item.
    """
    text = json.dumps(value, indent=2, allow_nan=False)
    if lists:
        click.echo(told(text.removesuffix("\n}")), nl=False)
        for name, items in lists.items():
            click.echo(f",\n  {json.dumps(name)}: [", nl=False)
            lines = (json.dumps(item, allow_nan=False) for item in items)
            start = "\n    "
            while some := list(itertools.islice(lines, _LINES_AT_ONCE)):
                click.echo(start + told(",\n    ".join(some)), nl=False)
                start = ",\n    "
            click.echo("\n  ]", nl=False)
        text = "\n}"
    click.echo(told(text))


def print_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print plain values as CSV; lists and dicts are JSON, what is absent is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for row in rows:
        table.writerow(
            [json.dumps(value) if isinstance(value, dict | list) else value for value in row]
        )
    echo(text.getvalue().rstrip("\n"))


def print_table(
    columns: Mapping[str, bool],
    groups: Mapping[str, Sequence[Sequence[str]]],
    *,
    folded: str,
    gap: int = 2,
) -> None:
    """Print a table without lines; its headings are left out if all are empty.

    Args:
        columns: headings, and whether the column holds numbers, which end at its right edge.
        groups: rows of cells, each group under a line of its own unless that is empty.
        folded: heading of the column that takes several lines where the terminal is narrow.
        gap: spaces between columns.
    """
    place = list(columns).index(folded)
    rows = [
        [_cell(cell, is_folded=number == place) for number, cell in enumerate(row)]
        for row in (list(columns), *(row for group in groups.values() for row in group))
    ]
    widths = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
    others = sum(widths) - widths[place] + gap * (len(widths) - 1)
    # Rather lines that are too long than a name letter by letter, or headings that lose their end.
    least = min(widths[place], _LEAST_FOLDED)
    widths[place] = max(min(widths[place], _terminal_width() - others), least)
    shape = _Shape(list(columns.values()), widths, place, " " * gap)
    lines = iter(rows)
    headings = next(lines)
    if any(map(str.strip, headings)):
        for line in shape.lines(headings):
            click.secho(line, bold=True)
    for title, group in groups.items():
        if title:
            secho(title, dim=True)
        for _ in group:
            click.echo("\n".join(shape.lines(next(lines))))


class _Shape(NamedTuple):
    """How the rows of a table are written."""

    are_numbers: Sequence[bool]
    widths: Sequence[int]
    folded: int
    gap: str

    def lines(self, cells: Sequence[str]) -> Iterator[str]:
        """Yield the lines of a row: the folded cell may take several."""
        pieces = _pieces(cells[self.folded], self.widths[self.folded])
        for number, piece in enumerate(pieces):
            row = [*cells] if number == 0 else [""] * len(cells)
            row[self.folded] = piece
            yield self.gap.join(
                _padded(cell, width, is_number)
                for cell, width, is_number in zip(row, self.widths, self.are_numbers, strict=True)
            ).rstrip()


def _terminal_width() -> int:
    """Return how many columns there are; in a pipe, which has none, nothing is folded."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return int(os.environ["COLUMNS"])
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def _cell(text: str, *, is_folded: bool) -> str:
    """Return what is shown of a text; only the folded column has several lines."""
    shown = printable(text).expandtabs(4)
    return shown if is_folded or "\n" not in shown else shown.replace("\n", " ")


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    if "\n" in text:
        return max(map(_width, text.splitlines()), default=0)
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    """Return how wide a character is: accents and joiners stand on the one before them."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, width: int, is_number: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if is_number else text + space


def _pieces(text: str, width: int) -> list[str]:
    """Cut a text into pieces of at most so many columns, at spaces where there are any."""
    if "\n" not in text and _width(text) <= width:
        return [text]
    pieces = []
    for line in text.splitlines() or [""]:
        while _width(line) > width:
            reach = itertools.accumulate(map(_columns_of, line))
            end = sum(1 for _ in itertools.takewhile(lambda columns: columns <= width, reach))
            space = line.rfind(" ", 1, end + 1)
            pieces.append(line[: space if space > 0 else max(end, 1)])
            line = line[len(pieces[-1]) :].lstrip(" ")
        pieces.append(line)
    return pieces


def damage(problems: Sequence[str]) -> Iterable[str]:
    """Yield the first of a run's problems, and how many more there are."""
    if problems:
        yield f"damaged: {problems[0]}"
    if len(problems) > 1:
        yield f"         and {len(problems) - 1} more; garage-like verify RUN names them all"


def count(number: int, thing: str) -> str:
    """Say how many: 1 snapshot, 12 snapshots."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def ranges(numbers: Sequence[int]) -> str:
    """Shorten numbers in order: 0-3, 5, 7-9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts) or "none"


def shell(path: Path) -> str:
    """Write a path as a shell takes it."""
    return shlex.quote(str(path))


def short_count(number: float | None) -> str:
    """Shorten a count: 950, 40,960, 1.23M."""
    if number is None:
        return NOTHING
    for size, suffix in ((1e9, "G"), (1e6, "M")):
        if abs(number) >= size:
            return f"{number / size:.2f}{suffix}"
    return f"{number:,.0f}"


def brief_count(number: float | None) -> str:
    """Shorten a count to five characters: 950, 40.9k, 118k, 1.23M."""
    if number is None or abs(number) < 10_000 or abs(number) >= 999_500:
        return short_count(number)
    return f"{number / 1000:.1f}k" if abs(number) < 99_950 else f"{number / 1000:.0f}k"


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
    """Say how long ago a moment was: 45 s, 12 min."""
    return short_seconds(time.time() - unix_time)


def brief_age(unix_time: float) -> str:
    """Say how long ago a moment was: 45s, 12m."""
    number, unit = age(unix_time).split()
    return number + unit[0]
