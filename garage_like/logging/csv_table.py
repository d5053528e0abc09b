"""The text of progress.csv: cells, rows, and where the file ended after each of its rows.

A file with a new column is written again: every row before gets an empty cell. So an offset that a
snapshot recorded earlier fits no more, unless one can tell how long the file was with each row.
That follows from the file alone, since three rules hold: columns stand in the order of their first
appearance; a column appears with the first row in which it is not empty; no row is all empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.files.log_table import cells_up_to

_ANY_SIZE = (1 << 31) - 1  # a C long, which may have 32 bits


def format_cell(value: Any) -> str:
    """Write a value so that it reads back exactly: `float(cell)` is the number that was logged."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.float16 | np.float32):
        return repr(float(value))
    if isinstance(value, np.generic):
        value = value.item()
    text = str(value)
    if any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def format_line(names: Sequence[str]) -> bytes:
    """Write cells as a line of the file."""
    return _encode(",".join(map(format_cell, names)) + "\n")


@dataclass(frozen=True)
class Row:
    """A row, as text and as cells."""

    text: str
    cells: list[str]

    @property
    def used(self) -> int:
        """Number of columns up to the last that is not empty."""
        return max((i + 1 for i, cell in enumerate(self.cells) if cell), default=0)

    def with_columns(self, count: int) -> bytes:
        """Return the line with empty cells added, or taken away, at its end."""
        line = self.text.rstrip("\r\n")
        missing = count - len(self.cells)
        line = line + "," * missing if missing >= 0 else line[:missing]
        return _encode(line + "\n")


# Whatever bytes a file holds come back as they were.
def _encode(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def read_rows(content: bytes) -> list[Row]:
    """Split a file into its rows, the header first; a quoted cell may span lines."""
    lines = io.StringIO(content.decode("utf-8", errors="surrogateescape"), newline="")
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    rows = []
    with cells_up_to(_ANY_SIZE):
        for cells in csv.reader(feed()):
            rows.append(Row("".join(taken), cells))
            taken.clear()
    return rows


def add_columns(content: bytes, names: Sequence[str]) -> bytes:
    """Return the file with new columns at the right, empty in every row."""
    header, *rows = read_rows(content)
    count = len(header.cells) + len(names)
    title = format_line([*header.cells, *names])
    return title + b"".join(row.with_columns(count) for row in rows)


def content_at(content: bytes, offset: int) -> bytes | None:
    """Return the file as it was when it was `offset` bytes long.

    Returns:
        None if it never was that long with its last row complete.
    """
    if offset == 0 or not content:
        return b"" if offset == 0 else None
    header, *rows = read_rows(content)
    title, columns, rows_size = b"", 0, 0
    for count, row in enumerate(rows, start=1):
        if row.used > columns:
            rows_size += (row.used - columns) * (count - 1)
            columns = row.used
            title = format_line(header.cells[:columns])
        rows_size += len(row.with_columns(columns))
        if len(title) + rows_size == offset:
            return title + b"".join(r.with_columns(columns) for r in rows[:count])
    return None
