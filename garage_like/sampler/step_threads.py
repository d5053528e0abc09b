"""StepThreads: environments that wait, for a server or a device, wait at the same time."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from garage_like.sampler.shared_state import noted

T = TypeVar("T")
R = TypeVar("R")


class StepThreads:
    """Do the same with each of several environments, in threads; results come in a fixed order.

    Args:
        n_threads: at most so many at a time.

    Attributes:
        begun: what resets have returned that were made ahead, by the environment's number.
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self.begun: dict[int, Any] = {}
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._pool: list[threading.Thread] = []
        self._moved: Callable[[], str | None] = lambda: None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: threads are started when they are needed."""
        return {"n_threads": self.n_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up what was saved."""
        self.__init__(**state)  # type: ignore[misc]

    def begin(self) -> None:
        """Note what threads would share, before a worker's call."""
        self.begun.clear()
        self._moved = noted()

    def end(self) -> None:
        """Check that nothing of that has moved.

        Raises:
            RuntimeError: if it has: what came of it depends on which thread was first.
        """
        generator = self._moved()
        if generator is not None:
            raise RuntimeError(
                f"{generator}: the environment or the policy draws from this generator of the whole"
                " process, which threads do in any order; draw from `self.np_random`, or leave"
                " n_threads out"
            )

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return a function of each item; none is at work any more when it returns, or raises."""
        if len(items) < 2:
            return [function(item) for item in items]
        if not self._pool:
            self._begin_threads()
        # Nobody is woken but those who step, and this thread by the last of them: with futures, 64
        # steps of 5 ms would take more time than is left for it.
        n = min(self.n_threads, len(items))
        parts: list[Any] = [None] * n
        ended: list[None] = []
        done: SimpleQueue[None] = SimpleQueue()
        for k in range(n):
            self._jobs.put((function, items[k::n], k, parts, ended, done))
        done.get()
        results: list[Any] = [None] * len(items)
        for k, part in enumerate(parts):
            if isinstance(part, _Raised):
                raise part.error
            results[k::n] = part
        return results

    def _begin_threads(self) -> None:
        for number in range(self.n_threads):
            name = f"env_{number}"
            thread = threading.Thread(target=_work, args=(self._jobs,), name=name, daemon=True)
            thread.start()
            self._pool.append(thread)
        weakref.finalize(self, _end, self._jobs, self.n_threads)

    def shutdown(self) -> None:
        """End the threads."""
        if self._pool:
            _end(self._jobs, len(self._pool))
            for thread in self._pool:
                thread.join()
            self._pool, self._jobs = [], SimpleQueue()


@dataclass(frozen=True)
class _Raised:
    error: BaseException


def _work(jobs: SimpleQueue[Any]) -> None:
    """Do jobs until there is none; nothing here holds what asks for them."""
    while (job := jobs.get()) is not None:
        function, items, k, parts, ended, done = job
        try:
            parts[k] = [function(item) for item in items]
        except BaseException as error:  # SystemExit as well: whoever waits must be told
            parts[k] = _Raised(error)
        ended.append(None)
        if len(ended) == len(parts):
            done.put(None)
        del job, function, items, parts, ended, done


def _end(jobs: SimpleQueue[Any], n_threads: int) -> None:
    for _ in range(n_threads):
        jobs.put(None)
