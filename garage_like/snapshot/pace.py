"""Pace: what snapshots take of training's time, held to a share of it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

RECENT = 3
HANDOVER_SECONDS = 1e-4
"""What training loses, at most, when the writer has waited and is given the interpreter."""

LOST_PER_PROCESSOR_SECOND = 1.5
"""What training loses, at most, for the writer's processor time."""


class ThreadUse(NamedTuple):
    """What a thread has used so far.

    Attributes:
        processor_seconds: time on a processor.
        waits: how often it waited, for the interpreter or the disk; as good as endless where the
            system does not count.
    """

    processor_seconds: float
    waits: float


def thread_use() -> ThreadUse:
    """Return what the calling thread has used so far."""
    waits = float("inf")
    if sys.platform == "linux":
        import resource

        waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    return ThreadUse(time.thread_time(), waits)


def lost_between(before: ThreadUse, after: ThreadUse) -> float:
    """Estimate the seconds that training loses to the writer.

    Measured by `benchmarks/save_cost.py`: PPO's small arrays lose 1 to 1.5 of the writer's
    processor time, SAC's large ones half of it, but 0.06 ms for each wait; while small operations
    run the writer may wait a thousand times, and each costs next to nothing.
    """
    processor_seconds = _processor_seconds(before, after)
    waits = after.waits - before.waits if after.waits < float("inf") else after.waits
    return min(LOST_PER_PROCESSOR_SECOND * processor_seconds, HANDOVER_SECONDS * waits)


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
        use: what the calling thread has used so far; a test's way in.
        free_seconds: what training may stand still beside its share.
        processor: seconds of all threads on a processor; a test's way in.

    Attributes:
        by_processor: whether processor seconds must keep to the share as well. On a busy machine
            little is done in much time, and loops of short epochs notice what a snapshot takes.
    """

    def __init__(
        self,
        max_stall: float,
        clock: Callable[[], float] = time.perf_counter,
        use: Callable[[], ThreadUse] = thread_use,
        free_seconds: float = 0.0,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self._max_stall = max_stall
        self._free_seconds = free_seconds
        self._clock = clock
        self._use = use
        self._stops: deque[float] = deque(maxlen=RECENT)
        self._writings: deque[float] = deque(maxlen=RECENT)
        self._num_stops = self._num_writings = 0
        self._last = 0.0
        self._processor = processor
        self._last_processor = 0.0
        self._stop_uses: deque[float] = deque(maxlen=RECENT)
        self._write_uses: deque[float] = deque(maxlen=RECENT)
        self.by_processor = False

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Measure how long training stands still."""
        began, before = self._clock(), self._use()
        try:
            yield
        finally:
            self._last, self._last_processor = self._clock(), self._processor()
            if self._num_stops:
                self._stop_uses.append(_processor_seconds(before, self._use()))
                self._stops.append(self._last - began)
                self._free_seconds -= self._last - began
            self._num_stops += 1

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Measure what writing a snapshot behind training takes from it; in the writer's thread."""
        before = self._use()
        try:
            yield
        finally:
            if self._num_writings:
                after = self._use()
                self._writings.append(lost_between(before, after))
                self._write_uses.append(_processor_seconds(before, after))
            self._num_writings += 1

    @property
    def is_too_soon(self) -> bool:
        """Whether another one now would take more than its share of the time since the last."""
        if self._max_stall >= 1.0 or not self._stops or self._free_seconds > 0.0:
            return False
        stop = min(self._stops)
        behind = min(self._writings, default=0.0)
        share = self._max_stall * (self._clock() - self._last)
        if stop > share or stop + behind > 2.0 * share:
            return True
        if not self.by_processor:
            return False
        used = sum(sum(uses) / len(uses) for uses in (self._stop_uses, self._write_uses) if uses)
        return used > 2.0 * self._max_stall * (self._processor() - self._last_processor)


def _processor_seconds(before: ThreadUse, after: ThreadUse) -> float:
    return after.processor_seconds - before.processor_seconds
