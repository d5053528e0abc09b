"""Signals that ask a run to stop: it finishes the epoch and saves; a second Ctrl-C stops at once.

Each ends the process with the status that a shell gives to one that the signal ended, 128 and its
number: docs/snapshots.md lists them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
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
        Ctrl-C.

        Raises:
            SystemExit: if the process was asked to stop when the loop had ended, by its last flush.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        free = [number for number in WARNING if signal.getsignal(number) == signal.SIG_DFL]
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
        if self.requested:
            raise SystemExit(self.exit_code)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.requested:
            self.signal_number = number
        if os.getpid() != self._process:
            self._obey_in_a_child(number)
            return
        say_at_once(
            f"\n{signal.Signals(number).name}: finishing the epoch and saving;"
            " press Ctrl-C again to stop at once"
        )

    def _obey_in_a_child(self, number: int) -> None:
        """End a worker that was forked by the loop when it is told to; nothing is saved there.

        Of what a whole group of processes hears, only SIGTERM ends it: the loop is not through with
        its epoch, and needs its workers.
        """
        if number == signal.SIGTERM:
            signal.signal(number, self._before[number] or signal.SIG_DFL)
            os.kill(os.getpid(), number)
