"""Pace: how long training stands still for snapshots, held to a share of its time."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator

RECENT_STOPS = 3


class Pace:
    """Measure how long each snapshot stops training, and say when the next would come too soon.

    The first snapshot of a process is not counted: it loads modules that later ones find loaded. Of
    the last few the shortest counts, since a busy machine makes any of them long.

    Args:
        max_stall: share of the time that training may stand still, in (0, 1].
        clock: seconds; a test's way in.
    """

    def __init__(self, max_stall: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._max_stall = max_stall
        self._clock = clock
        self._stops: deque[float] = deque(maxlen=RECENT_STOPS)
        self._num_stops = 0
        self._last = 0.0

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Measure how long training stands still."""
        began = self._clock()
        try:
            yield
        finally:
            self._last = self._clock()
            if self._num_stops:
                self._stops.append(self._last - began)
            self._num_stops += 1

    @property
    def is_too_soon(self) -> bool:
        """Whether another stop now would take more than its share of the time since the last."""
        if not self._stops:
            return False
        return min(self._stops) > self._max_stall * (self._clock() - self._last)
