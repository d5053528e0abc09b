"""TrackedData: numbers that come many times between two rows, summed up for the row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_MIN, _MAX = "(min)", "(max)"


class TrackedData:
    """Keep the mean of what is tracked under a tag, or its extreme if the tag says so.

    A tag that ends in `(min)` or `(max)` keeps the least or the largest value; any other the mean.
    Memory does not grow with the number of values.
    """

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, float]] = {}

    def track(self, tag: str, value: Any) -> None:
        """Take a number, or all numbers of an array; with an empty one the tag is there, as NaN.

        Raises:
            TypeError: if the tag is no string, or the value neither a number nor numbers.
        """
        if not isinstance(tag, str):
            raise TypeError(f"track_data: the tag must be a string, got {tag!r}")
        if type(value) is float or type(value) is int:
            self.add(tag, 1, float(value))
        else:
            self.add(tag, *_summed_up(tag, value))

    def add(self, tag: str, count: int, number: float) -> None:
        """Take the sum, the least or the largest of so many numbers, as the tag asks for."""
        old_count, old = self._entries.get(tag, (0, math.nan))
        if not old_count:
            self._entries[tag] = (count, number)
        elif count:
            self._entries[tag] = (old_count + count, _joined(tag, old, number))

    def take(self) -> dict[str, float]:
        """Return one number for each tag, and start over."""
        entries, self._entries = self._entries, {}
        return {
            tag: number if tag.endswith((_MIN, _MAX)) or not count else number / count
            for tag, (count, number) in entries.items()
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing was tracked since the last row."""
        return not self._entries

    def state(self) -> dict[str, tuple[int, float]]:
        """Return what was tracked since the last row, for a snapshot."""
        return dict(self._entries)

    def set_state(self, state: Mapping[str, tuple[int, float]]) -> None:
        """Go on from what `state` returned."""
        self._entries = dict(state)


def _summed_up(tag: str, value: Any) -> tuple[int, float]:
    """Return how many numbers there are, and their sum, least or largest."""
    try:
        array = np.asarray(value)
        if array.size and array.dtype.kind not in "biuf":
            raise TypeError(f"{array.dtype} is no type of number")
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"track_data: {tag!r} must be a number or an array of numbers, got {value!r}"
        ) from error
    if not array.size:
        return 0, math.nan
    over = np.min if tag.endswith(_MIN) else np.max if tag.endswith(_MAX) else np.sum
    return array.size, float(over(array))


def _joined(tag: str, old: float, new: float) -> float:
    if tag.endswith(_MIN):
        return new if new < old or new != new else old
    if tag.endswith(_MAX):
        return new if new > old or new != new else old
    return old + new


tracked = TrackedData()


def track_data(tag: str, value: Any) -> None:
    """Track a number, or each number of an array; the next row of the log sums it up.

    Call it as often as you like between two rows, from anywhere in an experiment::

        track_data("Gradient/Norm", norm)          # the row has the mean
        track_data("Gradient/Norm (max)", norm)    # the row has the largest

    What was tracked since the last row is part of a snapshot.

    Args:
        tag: column of the log; `(min)` or `(max)` at its end asks for the extreme, not the mean.
        value: a number, or an array of any shape.

    Raises:
        TypeError: if the tag is no string, or the value neither a number nor numbers.
    """
    tracked.track(tag, value)
