"""Tables in snapshots: each group of rows is a file of its own, written only when it changed.

A capture copies the groups whose clock moved since the last committed snapshot; the others become
hard links. On the disk a group's columns lie one after the other, under their names, so that any
reader of safetensors can use them; taking them apart is left to the writer.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.data.table import Column, Table
from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import FileEntry
from garage_like.snapshot.disk.dtypes import plain_dtype, told_dtype
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.tensors import Tensor, file_pieces, parse, read_tensors

Rows = Sequence[np.ndarray]
_rows_of_tables: contextvars.ContextVar[Sequence[Rows] | None] = contextvars.ContextVar(
    "rows_of_tables", default=None
)


@dataclass(frozen=True)
class StagedGroup:
    """Rows of one group, copied; shape (rows, row_bytes)."""

    rows: np.ndarray
    columns: Mapping[str, Column]

    def pieces(self) -> list[memoryview]:
        """Take the columns apart; return the pieces of the group's file."""
        tensors = [self._tensor(name, column) for name, column in self.columns.items()]
        return file_pieces(tensors)

    def _tensor(self, name: str, column: Column) -> Tensor:
        place = slice(column.offset, column.offset + column.nbytes)
        content = np.ascontiguousarray(self.rows[:, place]).reshape(-1)
        told = told_dtype(column.dtype)
        if told is None:
            return Tensor(name, "U8", (len(self.rows), column.nbytes), content)
        return Tensor.of(name, told, (len(self.rows), *column.shape), content)


@dataclass(frozen=True)
class TableCapture:
    """One table, captured.

    Attributes:
        entry: what the manifest says of it.
        changed: groups to write, by path inside the snapshot.
        unchanged: files that equal those of the previous snapshot, by path.
    """

    entry: dict[str, Any]
    changed: dict[str, StagedGroup]
    unchanged: dict[str, FileEntry]


def capture_table(
    table: Table,
    folder: str,
    previous: Manifest | None,
    copy: Callable[[np.ndarray], np.ndarray],
) -> TableCapture:
    """Copy the groups of a table that changed since a snapshot was committed.

    Args:
        table: whose rows are in use.
        folder: below `tables/`.
        previous: the last snapshot that was committed.
        copy: copies bytes, shape (n,), into staging memory.
    """
    names = group_files(folder, table.group_rows, table.num_groups)
    unchanged = _unchanged_since(table, folder, names, previous)
    changed: dict[str, StagedGroup] = {}
    for number, name in enumerate(names):
        if name not in unchanged:
            rows = table.group(number)
            changed[name] = StagedGroup(copy(rows.reshape(-1)).reshape(rows.shape), table.columns)
    entry = {
        "folder": folder,
        "identity": table.identity,
        "num_rows": table.num_rows,
        "next_row": table.next_row,
        "group_rows": table.group_rows,
        "row_bytes": table.row_bytes,
        "columns": {
            name: [_name_of(column.dtype), list(column.shape), column.offset]
            for name, column in table.columns.items()
        },
        "changed": table.changed[: table.num_groups].tolist(),
    }
    return TableCapture(entry, changed, unchanged)


def _name_of(dtype: np.dtype) -> str:
    is_told = dtype.isbuiltin == 2  # a type that NumPy does not know by its short name
    return dtype.name if is_told else dtype.str


def _unchanged_since(
    table: Table, folder: str, names: Sequence[str], previous: Manifest | None
) -> dict[str, FileEntry]:
    """Return the files that still hold what the table does. Tables have hundreds of groups."""
    entry = None if previous is None else _entry_of(previous, folder)
    if entry is None or previous is None or entry["identity"] != table.identity:
        return {}
    count = min(len(names), len(entry["changed"]))
    is_same = table.changed[:count] == np.asarray(entry["changed"][:count], table.changed.dtype)
    if table.num_rows != entry["num_rows"]:  # the group in which the shorter of both ends
        is_same[min(table.num_rows, int(entry["num_rows"])) // table.group_rows :] = False
    files = previous.files
    return {
        name: files[name] for name in itertools.compress(names, is_same.tolist()) if name in files
    }


def _entry_of(manifest: Manifest, folder: str) -> dict[str, Any] | None:
    return next((entry for entry in manifest.tables if entry["folder"] == folder), None)


@functools.lru_cache(64)
def group_files(folder: str, group_rows: int, num_groups: int) -> tuple[str, ...]:
    """Return the path, inside a snapshot, of each group of a table."""
    return tuple(group_file(folder, number * group_rows) for number in range(num_groups))


def group_file(folder: str, first_row: int) -> str:
    """Return the path, inside a snapshot, of the group that begins with a row."""
    return f"{layout.TABLES}/{folder}/rows_{first_row:09d}.safetensors"


def load_rows(
    entry: Mapping[str, Any], files: Mapping[str, bytearray], name: str
) -> list[np.ndarray]:
    """Put the rows of a table together again from the verified files of a snapshot.

    Returns:
        For each group, shape (rows, row_bytes).
    """
    groups = []
    num_rows, group_rows = int(entry["num_rows"]), int(entry["group_rows"])
    for first in range(0, num_rows, group_rows):
        path = group_file(entry["folder"], first)
        if path not in files:
            raise SnapshotCorruptError(f"{name}: the manifest names {path}, which is not there")
        rows = np.zeros((min(group_rows, num_rows - first), entry["row_bytes"]), np.uint8)
        columns = parse(files[path], f"{name}/{path}")
        for column, (_, _, offset) in entry["columns"].items():
            content = columns[column].content.reshape(len(rows), -1)
            rows[:, offset : offset + content.shape[1]] = content
        groups.append(rows)
    return groups


def read_columns(
    entry: Mapping[str, Any], snapshot: Path, files: Mapping[str, FileEntry]
) -> dict[str, np.ndarray]:
    """Read a table as data: for each column, shape (rows, *shape).

    Raises:
        SnapshotCorruptError: if a file is damaged, or the manifest and the files do not agree.
    """
    groups: list[dict[str, np.ndarray]] = []
    for first in range(0, entry["num_rows"], entry["group_rows"]):
        path = group_file(entry["folder"], first)
        if path not in files:
            raise SnapshotCorruptError(f"{snapshot}: the manifest does not list {path}")
        tensors = read_tensors(snapshot, path, files[path])
        groups.append({name: tensor.array() for name, tensor in tensors.items()})
    try:
        return {
            name: np.concatenate(
                [np.empty((0, *shape), plain_dtype(kind)), *(group[name] for group in groups)]
            )
            for name, (kind, shape, _) in entry["columns"].items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotCorruptError(
            f"{snapshot}: the manifest and the files do not agree on the rows: {error!r}"
        ) from error


@contextlib.contextmanager
def filling_tables(rows: Sequence[Rows]) -> Iterator[None]:
    """Offer the rows of all tables of a snapshot to the tables that are being rebuilt."""
    token = _rows_of_tables.set(rows)
    try:
        yield
    finally:
        _rows_of_tables.reset(token)


def rebuild_table(number: int, state: Mapping[str, Any]) -> Table:
    """Build the snapshot's table number `number`, with the rows that are on offer."""
    table = Table.from_state(state)
    rows = _rows_of_tables.get()
    for group, content in enumerate(rows[number] if rows is not None else ()):
        table.fill_group(group, content)
    return table
