"""The table of a run's log, progress.csv, read row by row: a run of any length, of any origin."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from garage_like.errors import SnapshotCorruptError
from garage_like.files.run_files import open_text

MAX_COLUMNS = 10_000
MAX_CHARACTERS = 4 << 20
"""Of a line, and of a cell, which may span lines."""

_BLOCK = 1 << 20
_ROWS_AT_ONCE = 1000


@contextlib.contextmanager
def cells_up_to(characters: int) -> Iterator[None]:
    """Let `csv` read cells above its own limit, 128 KiB: a run may log any text."""
    before = csv.field_size_limit(characters)
    try:
        yield
    finally:
        csv.field_size_limit(before)


@contextlib.contextmanager
def open_table(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Open a table for its column names and its rows, each as long as the names.

    Raises:
        SnapshotCorruptError: if there is no such file, or it is no table; in the block, too.
    """
    with open_text(path) as file, cells_up_to(MAX_CHARACTERS):
        reader = csv.reader(_lines(file, path))
        try:
            columns = next(reader, [])
            if len(columns) > MAX_COLUMNS:
                raise SnapshotCorruptError(
                    f"{path}: {len(columns)} columns, expected at most {MAX_COLUMNS}"
                )
            yield columns, _rows(reader, len(columns))
        except csv.Error as error:
            raise SnapshotCorruptError(f"{path}: no table: {error}") from error


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    rest = ""
    while block := file.read(_BLOCK):
        text = rest + block
        end = text.rfind("\n") + 1
        rest = text[end:]
        if len(rest) >= MAX_CHARACTERS:
            raise SnapshotCorruptError(
                f"{path}: a line of more than {MAX_CHARACTERS} characters is no row of a table"
            )
        yield from io.StringIO(text[:end], newline="")
    yield from io.StringIO(rest, newline="")


def rows_of(lines: Iterable[str], count: int) -> Iterator[list[str]]:
    """Yield the rows that lines hold, each of so many cells; within `cells_up_to`."""
    return _rows(csv.reader(lines), count)


def _rows(reader: Iterator[list[str]], count: int) -> Iterator[list[str]]:
    for row in reader:
        if len(row) == count:
            yield row
        elif row:
            yield row[:count] + [""] * (count - len(row))


def numbers_in(rows: Iterator[list[str]], places: Sequence[int]) -> list[array[float]]:
    """Return some cells of each row as columns of numbers, NaN where there is none."""
    columns = [array("d") for _ in places]
    while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        for column, place in zip(columns, places, strict=True):
            column.extend(_numbers([row[place] for row in some]))
    return columns


def _numbers(cells: list[str]) -> array[float]:
    try:
        return array("d", map(float, cells))
    except ValueError:
        return array("d", map(_number, cells))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
