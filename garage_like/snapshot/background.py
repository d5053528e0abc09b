"""BackgroundWriter: writes captures to the disk, one at a time, while training goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from garage_like.errors import SnapshotWriteError

Job = TypeVar("Job")

_LOOK_SECONDS = 1.0
"""How often whoever waits looks whether the thread is still there."""


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
            return self._is_idle()

    def submit(self, job: Job) -> None:
        """Hand over a job."""
        has_thread = self._has_thread()
        if not has_thread:
            self._write_here()
        with self._state:
            if self._waiting is not None and self._only_newest:
                self.num_replaced += 1
                if self._dropped is not None:
                    self._dropped(self._waiting)
                self._waiting = None
            self._state.wait_for(lambda: self._waiting is None)
            self._waiting = job
            self._state.notify_all()
        if not has_thread:
            self._write_here()

    def _has_thread(self) -> bool:
        """Start the thread if there is none; tell whether there is one now."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._run, name="snapshot-writer", daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):  # a limit of processes, or of memory
                self._thread = None
                return False
            self._thread = thread
        return True

    def _write_here(self) -> None:
        """Write what waits, for want of a thread: none can be had, or it was ended."""
        with self._state:
            job, self._waiting = self._waiting, None
        if job is None:
            return
        try:
            self._write(job)
        except Exception as error:
            with self._state:
                self._errors.append(error)

    def drain(self) -> None:
        """Wait until everything that was handed over has been written or has failed."""
        with self._state:
            while not self._state.wait_for(self._is_idle, _LOOK_SECONDS):
                if self._thread is None or not self._thread.is_alive():
                    self._writing = False
                    break
        self._write_here()

    def _is_idle(self) -> bool:
        return not self._writing and self._waiting is None

    def give_up(self) -> None:
        """Let what waits go, and wait for nothing: what is being written ends with the process."""
        with self._state:
            dropped, self._waiting = self._waiting, None
            self._state.notify_all()
        if dropped is not None and self._dropped is not None:
            self._dropped(dropped)

    def close(self) -> None:
        """Write what was handed over, then stop the thread; `submit` starts another."""
        with self._state:
            thread, self._thread = self._thread, None
            self._closing = True
            self._state.notify_all()
        if thread is not None:
            thread.join()
        self._closing = False
        self._write_here()

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
            except BaseException as error:  # a SystemExit, too: it ends a thread without a word
                with self._state:
                    self._errors.append(_told(error))
            finally:
                with self._state:
                    self._writing = False
                    self._state.notify_all()


def _told(error: BaseException) -> Exception:
    if isinstance(error, Exception):
        return error
    told = SnapshotWriteError(f"the writer was ended by {error!r}; earlier snapshots are intact")
    told.__cause__ = error
    return told
