"""Replay memory on the device, which compiled epochs write in place; in snapshots it is a table."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from garage_like.data.table import Table

Columns = dict[str, jax.Array]
"""By name, shape (slots, N, …): a slot has one transition of each of N environments. With many
seeds there is one more axis in front."""


class ReplayMemory:
    """Hold the transitions of the last `slots` env steps of each environment.

    An epoch is given the columns, and memory of theirs is used again. A table on the host follows
    when a snapshot asks for it: slots that were written since are copied, and of those a snapshot
    writes what the one before did not have.

    Args:
        slots: env steps of each environment that are kept.
        axis: which one counts the slots: 1 with many seeds, else 0.

    Attributes:
        written: slots that were written so far; once all are, the oldest are overwritten.
    """

    def __init__(self, slots: int, axis: int = 0) -> None:
        self.slots = slots
        self.written = 0
        self._axis = axis
        self._columns: Columns | None = None
        self._table: Table | None = None
        self._noted = 0

    def take(self, shapes: Callable[[], Mapping[str, Any]]) -> Columns:
        """Hand the columns over; `put` brings them back.

        Args:
            shapes: tells shapes and types that they have, by name; asked if nothing was stored yet.
        """
        columns, self._columns = self._columns, None
        if columns is not None:
            return columns
        if self._table is None:
            return {name: jnp.zeros(one.shape, one.dtype) for name, one in shapes().items()}
        found = {}
        for name in self._table.columns:
            stored = self._table.column(name)
            shape = stored.shape[1:]
            rows = np.zeros((*shape[: self._axis], self.slots, *shape[self._axis :]), stored.dtype)
            np.moveaxis(rows, self._axis, 0)[: len(stored)] = stored
            found[name] = jax.device_put(rows)
        return found

    def put(self, columns: Columns, count: int) -> None:
        """Take the columns back after so many slots more were written."""
        self._columns = columns
        self.written += count

    def clear(self) -> None:
        """Forget all transitions."""
        self.written = self._noted = 0
        self._columns = self._table = None

    def without_transitions(self) -> ReplayMemory:
        """Return a copy that holds none; leave this one as it is."""
        return ReplayMemory(self.slots, self._axis)

    # ---- in a snapshot ----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return the table instead of the columns."""
        self._note()
        return {**vars(self), "_columns": None}

    def __deepcopy__(self, memo: Any) -> ReplayMemory:
        """Return a copy that shares nothing."""
        made = self.without_transitions()
        made.__dict__.update(copy.deepcopy(self.__getstate__(), memo))
        return made

    def _note(self) -> None:
        """Copy slots that were written since the last time into the table."""
        if self._columns is None or self.written == self._noted:
            return
        if self._table is None:
            self._table = Table(
                self.slots,
                {name: (x.dtype, self._row_shape(x)) for name, x in self._columns.items()},
            )
        start, stop = max(self._noted, self.written - self.slots), self.written
        while start < stop:
            first = start % self.slots
            count = min(stop - start, self.slots - first)
            place = (slice(None),) * self._axis + (slice(first, first + count),)
            rows = {
                name: np.moveaxis(on_host(x, place), self._axis, 0)
                for name, x in self._columns.items()
            }
            self._table.write(first, rows)
            start += count
        self._noted = self.written

    def _row_shape(self, column: jax.Array) -> tuple[int, ...]:
        return column.shape[: self._axis] + column.shape[self._axis + 1 :]


def on_host(array: jax.Array, place: tuple[slice, ...]) -> np.ndarray:
    """Return part of an array as NumPy's: on one CPU a view, which must soon be let go of."""
    if len(array.sharding.device_set) == 1 and next(iter(array.devices())).platform == "cpu":
        return np.asarray(array)[place]
    return np.asarray(array[place])
