"""Pace: what snapshots take of training's time, held to a share of it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator

RECENT = 3
HANDOVER_SECONDS = 1e-4
"""What training loses when the writer waits and is given the interpreter.

Measured by `benchmarks/save_cost.py`: 0.04 to 0.09 ms on a quiet machine, from PPO's small arrays
to SAC's large ones. The writer's processor time tells less: SAC lost 0.4 of it, PPO 1.5 to 2.5.
"""


def seconds_taken() -> float:
    """Return how much time the calling thread has taken from others of this process: an estimate.

    Where the system does not count a thread's switches it is the thread's processor time.
    """
    if sys.platform == "linux":
        import resource

        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw * HANDOVER_SECONDS
    return time.thread_time()


class Pace:
    """Measure what snapshots take of training's time, and say when the next would come too soon.

    Training stands still while one is captured, and shares the interpreter with the thread that
    writes it: with each call of the system the writer gives it away and takes it back. The first
    snapshot of a process is not counted: it loads modules that later ones find loaded. Of the last
    few the shortest counts, since a busy machine makes any of them long.

    Args:
        max_stall: share of the time that training may stand still, in (0, 1]. All that snapshots
            take of its time may be twice that.
        clock: seconds; a test's way in.
        taken: seconds that the calling thread took from training; a test's way in.
    """

    def __init__(
        self,
        max_stall: float,
        clock: Callable[[], float] = time.perf_counter,
        taken: Callable[[], float] = seconds_taken,
    ) -> None:
        self._max_stall = max_stall
        self._clock = clock
        self._taken = taken
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
        """Measure what writing a snapshot behind training takes from it; in the writer's thread."""
        began = self._taken()
        try:
            yield
        finally:
            if self._num_writings:
                self._writings.append(self._taken() - began)
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
