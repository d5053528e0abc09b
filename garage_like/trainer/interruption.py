"""Signals that ask a run to stop: it finishes the epoch and saves; a second Ctrl-C stops at once.

Each ends the process with the status that a shell gives to one that the signal ended, 128 and its
number: docs/snapshots.md lists them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from garage_like.logging.notices import say_at_once

STOPPING = (signal.SIGTERM, signal.SIGINT)
# By these, schedulers say that the time is nearly up, and terminals that they are gone.
WARNING = tuple(
    getattr(signal, name)
    for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGXCPU")
    if hasattr(signal, name)
)

PATIENCE = 60.0
"""Seconds after its signal at which submitit is let at the latest: it has 90 by default."""

MARGIN = 30.0
"""Seconds before the job's limit, if that is known, at which it is let in any case."""


class Interruption:
    """Remember that the process was asked to stop, until the loop reaches a safe point."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._process = os.getpid()
        self._before: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        """Whether the process was asked to stop."""
        return self.signal_number is not None

    @property
    def exit_code(self) -> int:
        """The exit status that a shell gives to a process that the signal ended."""
        return 128 + (self.signal_number or 0)

    def request(self) -> None:
        """Ask the loop to stop, as SIGTERM does, at the safe point that comes next."""
        self.signal_number = self.signal_number or signal.SIGTERM

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals while the loop runs; signals reach the main thread alone.

        What a script handles itself, or ignores as `nohup` does, is left to it, but for SIGTERM and
        Ctrl-C. What submitit handles waits until the epoch is saved, and is handled then.

        Raises:
            SystemExit: if the process was asked to stop when the loop had ended, by its last flush.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        free = [
            number
            for number in WARNING
            if (handler := signal.getsignal(number)) == signal.SIG_DFL or _is_submitits(handler)
        ]
        self._process = os.getpid()
        self._before = {}
        for number in (*STOPPING, *free):
            self._before[int(number)] = signal.signal(number, self._note)
        try:
            yield
        finally:
            for previous, handler in self._before.items():
                if handler is not None:  # one in C cannot be put back
                    signal.signal(previous, handler)
            self._let_submitit_handle()
        if self.requested:
            raise SystemExit(self.exit_code)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        is_reminder = number == self.signal_number
        if not self.requested:
            self.signal_number = number
        if os.getpid() != self._process:
            self._obey_in_a_child(number)
            return
        if is_reminder:
            self._let_submitit_handle()
        elif _is_submitits(self._before.get(number)):
            self._remind_soon(number)
        say_at_once(
            f"\n{signal.Signals(number).name}: finishing the epoch and saving;"
            " press Ctrl-C again to stop at once"
        )

    def _let_submitit_handle(self) -> None:
        """Let submitit queue the job again, if it was to be asked; that ends the process."""
        handler = self._before.pop(self.signal_number or 0, None)
        if _is_submitits(handler):
            signal.signal(self.signal_number or 0, handler)
            handler(self.signal_number, None)

    def _remind_soon(self, number: int) -> None:
        """Signal once more, so that the job is queued again whatever the epoch does."""
        ends = os.environ.get("SLURM_JOB_END_TIME", "")
        left = float(ends) - time.time() - MARGIN if ends.isdecimal() else PATIENCE
        again = threading.Timer(max(0.0, min(left, PATIENCE)), os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()

    def _obey_in_a_child(self, number: int) -> None:
        """End a worker that was forked by the loop when it is told to; nothing is saved there.

        Of what a whole group of processes hears, only SIGTERM ends it: the loop is not through with
        its epoch, and needs its workers.
        """
        if number == signal.SIGTERM:
            signal.signal(number, self._before[number] or signal.SIG_DFL)
            os.kill(os.getpid(), number)


def _is_submitits(handler: Any) -> bool:
    """Tell whether a handler is submitit's that queues the job again."""
    owner = type(getattr(handler, "__self__", None)).__module__.partition(".")[0]
    return owner == "submitit" and getattr(handler, "__name__", "") != "bypass"
