"""Segments: which rows of a ring belong to one episode."""

from __future__ import annotations

import numpy as np

from garage_like.data.table import Table


class Segments:
    """Remember runs of rows of a ring, oldest first; together they are all rows that are in use.

    A segment is an episode, or what the ring still holds of it. Segments live in a ring of their
    own, which has room for as many as there can be rows, so nothing here grows without bound.

    Args:
        capacity: rows of the ring.

    Attributes:
        num_segments: segments that have rows left.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        kinds = dict.fromkeys(("start", "length", "previous"), (np.int64, ()))
        self._table = Table(capacity, kinds)
        self._oldest = 0
        self.num_segments = 0

    def slot(self, number: int) -> int:
        """Return where segment `number` is kept, counted from the oldest."""
        return (self._oldest + number) % self._capacity

    def append(self, start: int, length: int, previous: int = -1) -> int:
        """Add a segment after the newest; return its slot.

        Args:
            start: its first row.
            length: its rows.
            previous: slot of the segment that it goes on from, though others lie between; -1: none.
        """
        slot = self.slot(self.num_segments)
        self._write(slot, start % self._capacity, length, previous)
        self.num_segments += 1
        return slot

    def extend_newest(self, length: int) -> int:
        """Let the newest segment go on for so many rows; return its slot."""
        slot = self.slot(self.num_segments - 1)
        newest = self._table.row(slot)
        previous = int(newest["previous"]) if self._knows_previous else -1
        self._write(slot, int(newest["start"]), int(newest["length"]) + length, previous)
        return slot

    def drop_oldest_rows(self, count: int) -> None:
        """Forget so many of the oldest rows, and every segment that has none left."""
        while count > 0:
            oldest = self._table.row(self._oldest)
            start, length = int(oldest["start"]), int(oldest["length"])
            if length > count:
                self._write(self._oldest, (start + count) % self._capacity, length - count)
                return
            count -= length
            self._oldest = self.slot(1)
            self.num_segments -= 1

    def locate(self, slots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return first row and length of the segments in `slots`, each of shape (B,)."""
        taken = self._table.take(slots)
        return taken["start"], taken["length"]

    @property
    def _knows_previous(self) -> bool:
        """Whether that is kept: not in what was made before it was."""
        return "previous" in self._table.columns

    def step_back(self, rows: np.ndarray, slots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the row before each row, and its segment's slot; -1 where the path begins.

        Args:
            rows: shape (B,), in use.
            slots: shape (B,), of the segments that they belong to.
        """
        taken = self._table.take(slots)
        before, within = (rows - 1) % self._capacity, rows != taken["start"]
        if within.all() or not self._knows_previous:
            return np.where(within, before, -1), slots
        others = taken["previous"]
        # A slot may have been given to a newer segment since.
        ages = [(of - self._oldest) % self._capacity for of in (others, slots)]
        is_there = (others >= 0) & (ages[0] < ages[1])
        others = np.where(is_there, others, slots)
        taken = self._table.take(others)
        ends = (taken["start"] + taken["length"] - 1) % self._capacity
        rows = np.where(within, before, np.where(is_there, ends, -1))
        return rows, np.where(within, slots, others)

    def previous_of(self, slots: np.ndarray) -> np.ndarray:
        """Return the slot that each segment goes on from, shape (B,); -1: none.

        Args:
            slots: shape (B,), of the segments.
        """
        if not self._knows_previous:
            return np.full(len(slots), -1)
        previous: np.ndarray = self._table.take(slots)["previous"]
        return previous

    def rebuild(
        self, slots: np.ndarray, oldest_row: int, previous: np.ndarray | None = None
    ) -> None:
        """Find the segments again from the slot that each row names.

        Args:
            slots: shape (rows in use,), oldest row first.
            oldest_row: where in the ring that is.
            previous: shape (rows in use,), what `previous_of` told; None: none goes on.
        """
        self.clear()
        if not len(slots):
            return
        firsts = np.concatenate([[0], np.flatnonzero(np.diff(slots)) + 1])
        lengths = np.diff(np.append(firsts, len(slots)))
        starts = (oldest_row + firsts) % self._capacity
        self._oldest, self.num_segments = int(slots[0]), len(firsts)
        by_slot = np.zeros((self._capacity, 2), np.int64)
        by_slot[slots[firsts]] = np.stack([starts, lengths], axis=1)
        in_use = by_slot[: int(slots.max()) + 1]
        before = np.full(len(in_use), -1)
        if previous is not None:
            before[slots[firsts]] = previous[firsts]
        columns = {"start": in_use[:, 0], "length": in_use[:, 1], "previous": before}
        self._table.write(0, columns)

    def clear(self) -> None:
        """Forget all segments."""
        self._table.clear()
        self._oldest = self.num_segments = 0

    def _write(self, slot: int, start: int, length: int, previous: int = -1) -> None:
        row = {"start": start, "length": length, "previous": previous}
        self._table.write_row(slot, row)
