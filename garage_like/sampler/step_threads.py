"""StepThreads: environments that wait, for a server or a device, wait at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
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
        self._pool: ThreadPoolExecutor | None = None
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
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads, thread_name_prefix="env")
        n = min(self.n_threads, len(items))
        parts = [self._pool.submit(_each, function, items[k::n]) for k in range(n)]
        wait(parts)
        results: list[Any] = [None] * len(items)
        for k, part in enumerate(parts):
            results[k::n] = part.result()
        return results

    def shutdown(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def _each(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [function(item) for item in items]
