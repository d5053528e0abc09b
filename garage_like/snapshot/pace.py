"""Pace: what snapshots take of training's time, held to a share of it."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator

RECENT = 3


class Pace:
    """Measure what snapshots take of training's time, and say when the next would come too soon.

    Training stands still while one is captured, and shares processor and interpreter with the
    thread that writes it. The first snapshot of a process is not counted: it loads modules that
    later ones find loaded. Of the last few the shortest counts, since a busy machine makes any of
    them long.

    Args:
        max_stall: share of the time that training may stand still, in (0, 1]. All that snapshots
            take of the processor may be twice that.
        clock: seconds; a test's way in.
        processor_clock: seconds of processor time of the calling thread; a test's way in.
    """

    def __init__(
        self,
        max_stall: float,
        clock: Callable[[], float] = time.perf_counter,
        processor_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._max_stall = max_stall
        self._clock = clock
        self._processor_clock = processor_clock
        self._stops: deque[float] = deque(maxlen=RECENT)
        self._writings: deque[float] = deque(maxlen=RECENT)
        self._num_stops = self._num_writings = 0
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

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Measure the processor time of writing a snapshot behind training."""
        began = self._processor_clock()
        try:
            yield
        finally:
            if self._num_writings:
                self._writings.append(self._processor_clock() - began)
            self._num_writings += 1

    @property
    def is_too_soon(self) -> bool:
        """Whether another one now would take more than its share of the time since the last."""
        if self._max_stall >= 1.0 or not self._stops:
            return False
        stop = min(self._stops)
        behind = min(self._writings, default=0.0)
        share = self._max_stall * (self._clock() - self._last)
        return stop > share or stop + behind > 2.0 * share
