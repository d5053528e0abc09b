"""Table: rows of named columns, packed side by side, that knows which rows changed when.

Replay memory is one. A row's columns lie together in memory, so that drawing a batch is a single
`take`; memory is touched only where rows were written, so a large capacity costs nothing by
itself. Rows are counted in groups of about 1 MiB, each with the time of its last change: a snapshot
copies and writes only the groups that changed since the snapshot before.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

GROUP_BYTES = 1 << 20
_ALIGNMENT = 8


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        dtype: of an element; any fixed-size NumPy type.
        shape: of one row's value.
        offset: first byte within a row.
        nbytes: bytes of one row's value.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int
    nbytes: int


class Table:
    """Hold up to `capacity` rows.

    Args:
        capacity: rows at most.
        columns: type and shape of each column's values, such as `{'reward': ('float32', ())}`.

    Attributes:
        num_rows: rows that have been written at least once, counted from row 0.
        next_row: the row after the one written last.
        group_rows: rows of one group.
        changed: shape (groups,), when each group last changed, by the table's own clock; 0: never.
        identity: a name that no other table has, copies included; a restored table keeps it.

    Raises:
        ValueError: if the capacity is not positive, there is no column, or one has no fixed size.
    """

    def __init__(self, capacity: int, columns: Mapping[str, tuple[Any, tuple[int, ...]]]) -> None:
        if capacity < 1:
            raise ValueError(f"Table: capacity must be at least 1, got {capacity}")
        if not columns:
            raise ValueError("Table: expected at least one column, got none")
        self.capacity = capacity
        self.columns = _lay_out(columns)
        last = list(self.columns.values())[-1]
        self.row_bytes = -(-(last.offset + last.nbytes) // _ALIGNMENT) * _ALIGNMENT
        self._record = _record_of(self.columns, self.row_bytes)
        self.group_rows = max(1, GROUP_BYTES // self.row_bytes)
        self.num_rows = self.next_row = 0
        self.changed = np.zeros(-(-capacity // self.group_rows), np.int64)
        self._clock = 0
        self.identity = uuid.uuid4().hex
        self._reserve()

    def _reserve(self) -> None:
        """Reserve memory that the system hands out page by page as it is touched."""
        self._memory = np.zeros((self.capacity, self.row_bytes), np.uint8)
        # The same as records, whose fields are found five times as fast as columns of bytes; NumPy
        # asks in Python whether that is safe, so it is asked once.
        self._records = self._memory.view(self._record)[:, 0]

    @property
    def num_groups(self) -> int:
        """Groups that hold rows."""
        return -(-self.num_rows // self.group_rows)

    def group(self, number: int) -> np.ndarray:
        """Return a group's rows as bytes, shape (rows, row_bytes): a view."""
        start = number * self.group_rows
        return self._memory[start : min(start + self.group_rows, self.num_rows)]

    def fill_group(self, number: int, rows: np.ndarray) -> None:
        """Put back what `group` returned; does not count as a change."""
        start = number * self.group_rows
        self._memory[start : start + len(rows)] = rows
        self.num_rows = max(self.num_rows, start + len(rows))

    def write(self, start: int, values: Mapping[str, np.ndarray]) -> None:
        """Write rows one after the other.

        Args:
            start: first row; rows may follow those written so far, but leave no gap.
            values: for each column, shape (rows, *shape); all but the first may be one value for
                all rows.
        """
        count = len(next(iter(values.values())))
        stop = start + count
        if not 0 <= start <= self.num_rows or stop > self.capacity:
            raise IndexError(
                f"Table.write: rows {start} to {stop} do not fit; {self.num_rows} of"
                f" {self.capacity} rows are written"
            )
        if not count:
            return
        records = self._records[start:stop]
        for name in self.columns:
            records[name] = values[name]
        self._clock += 1
        self.changed[start // self.group_rows : (stop - 1) // self.group_rows + 1] = self._clock
        self.num_rows, self.next_row = max(self.num_rows, stop), stop

    def write_row(self, row: int, values: Mapping[str, Any]) -> None:
        """Write one row, in half the time that `write` takes.

        Args:
            row: one that was written before, or the next one.
            values: for each column, one value.
        """
        if not 0 <= row <= self.num_rows or row >= self.capacity:
            raise IndexError(
                f"Table.write_row: row {row} does not fit; {self.num_rows} of {self.capacity} rows"
                " are written"
            )
        record = self.row(row)
        for name in self.columns:
            record[name] = values[name]
        self._clock += 1
        self.changed[row // self.group_rows] = self._clock
        self.num_rows, self.next_row = max(self.num_rows, row + 1), row + 1

    def row(self, number: int) -> np.void:
        """Return one row as a record whose fields are the columns: a view."""
        record: np.void = self._records[number]
        return record

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Copy rows out.

        Args:
            rows: shape (B,), row numbers below `num_rows`.

        Returns:
            For each column, shape (B, *shape).
        """
        taken = self._memory.take(rows, axis=0).view(self._record)[:, 0]
        return {name: taken[name] for name in self.columns}

    def column(self, name: str) -> np.ndarray:
        """Return a column of all rows written so far, shape (num_rows, *shape): a view to read."""
        view = self._view(self._memory[: self.num_rows], self.columns[name])
        view.flags.writeable = False
        return view

    def clear(self) -> None:
        """Forget all rows, and give their memory back."""
        self.num_rows = self.next_row = 0
        self._clock += 1
        self.changed[:] = self._clock
        self._reserve()

    @staticmethod
    def _view(rows: np.ndarray, column: Column) -> np.ndarray:
        """Look at one column of rows given as bytes."""
        data = rows[:, column.offset : column.offset + column.nbytes]
        return data.view(column.dtype).reshape(len(rows), *column.shape)

    def state_without_rows(self) -> dict[str, Any]:
        """Return everything but the rows: what is pickled; groups are stored beside it."""
        return {
            "capacity": self.capacity,
            "columns": {
                name: (short_name(column.dtype) or column.dtype, column.shape)
                for name, column in self.columns.items()
            },
            "num_rows": self.num_rows,
            "next_row": self.next_row,
            "changed": self.changed,
            "clock": self._clock,
            "identity": self.identity,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Table:
        """Build a table from `state_without_rows`, its rows still to be filled in."""
        table = cls(state["capacity"], state["columns"])
        table._take_state(state)
        return table

    def _take_state(self, state: Mapping[str, Any]) -> None:
        self.num_rows, self.changed = state["num_rows"], state["changed"]
        self._clock, self.identity = state["clock"], state["identity"]
        self.next_row = state.get("next_row", self.num_rows)

    def __getstate__(self) -> dict[str, Any]:
        """Return everything, rows that were written included, for plain pickling and copying."""
        return {**self.state_without_rows(), "rows": self._memory[: self.num_rows].copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take back what `__getstate__` returned."""
        self.__init__(state["capacity"], state["columns"])  # type: ignore[misc]
        self._take_state({**state, "identity": uuid.uuid4().hex})
        self._memory[: self.num_rows] = state["rows"]


def short_name(dtype: np.dtype) -> str | None:
    """Return NumPy's short name of a type; None if that is not all there is to it: of records."""
    is_numpys_own = dtype.isbuiltin != 2
    return dtype.str if is_numpys_own and np.dtype(dtype.str) == dtype else None


def _lay_out(columns: Mapping[str, tuple[Any, tuple[int, ...]]]) -> dict[str, Column]:
    """Place columns in a row, the widest elements first, so that each is aligned."""
    kinds = {name: (np.dtype(dtype), tuple(shape)) for name, (dtype, shape) in columns.items()}
    for name, (dtype, _) in kinds.items():
        if dtype.hasobject or not dtype.itemsize:
            raise ValueError(f"Table: column {name!r} needs a type of fixed size, got {dtype}")
    placed: dict[str, Column] = {}
    offset = 0
    for name, (dtype, shape) in sorted(kinds.items(), key=lambda item: -item[1][0].itemsize):
        nbytes = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        column = Column(dtype, shape, offset, nbytes)
        placed[name] = column
        offset += column.nbytes
    return {name: placed[name] for name in sorted(placed, key=lambda n: placed[n].offset)}


def _record_of(columns: Mapping[str, Column], row_bytes: int) -> np.dtype:
    """Return the type of a whole row, with a field for each column."""
    return np.dtype(
        {
            "names": list(columns),
            "formats": [(column.dtype, column.shape) for column in columns.values()],
            "offsets": [column.offset for column in columns.values()],
            "itemsize": row_bytes,
        }
    )
