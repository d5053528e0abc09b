"""BackgroundWriter: writes captures to the disk, one at a time, while training goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class BackgroundWriter(Generic[Job]):
    """Run a function on one job after the other in a thread of its own.

    At most one job is being written and one waits. Where only the newest is of use, a job that
    still waits gives way to a newer one and `submit` never waits; else `submit` waits until the job
    before has been taken up.

    Args:
        write: called in the thread with each job.
        only_newest: whether a waiting job gives way to a newer one.
        dropped: called with each job that gave way, to take its memory back.

    Attributes:
        num_replaced: jobs that gave way.
    """

    def __init__(
        self,
        write: Callable[[Job], None],
        *,
        only_newest: bool,
        dropped: Callable[[Job], None] | None = None,
    ) -> None:
        self._write = write
        self._only_newest = only_newest
        self._dropped = dropped
        self._state = threading.Condition()
        self._waiting: Job | None = None
        self._writing = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._errors: list[Exception] = []
        self.num_replaced = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is being written or waits to be."""
        with self._state:
            return not self._writing and self._waiting is None

    def submit(self, job: Job) -> None:
        """Hand over a job."""
        with self._state:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="snapshot-writer", daemon=True
                )
                self._thread.start()
            if self._waiting is not None and self._only_newest:
                self.num_replaced += 1
                if self._dropped is not None:
                    self._dropped(self._waiting)
                self._waiting = None
            self._state.wait_for(lambda: self._waiting is None)
            self._waiting = job
            self._state.notify_all()

    def drain(self) -> None:
        """Wait until everything that was handed over has been written or has failed."""
        with self._state:
            self._state.wait_for(lambda: not self._writing and self._waiting is None)

    def close(self) -> None:
        """Write what was handed over, then stop the thread; `submit` starts another."""
        with self._state:
            thread, self._thread = self._thread, None
            self._closing = True
            self._state.notify_all()
        if thread is not None:
            thread.join()
        self._closing = False

    def take_errors(self) -> list[Exception]:
        """Return what went wrong since the last call, the oldest first."""
        with self._state:
            errors, self._errors = self._errors, []
        return errors

    def _run(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._waiting is not None or self._closing)
                if self._waiting is None:
                    return
                job, self._waiting, self._writing = self._waiting, None, True
                self._state.notify_all()
            try:
                self._write(job)
            except Exception as error:
                with self._state:
                    self._errors.append(error)
            finally:
                with self._state:
                    self._writing = False
                    self._state.notify_all()
