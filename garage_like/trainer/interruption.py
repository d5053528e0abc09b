"""SIGTERM and Ctrl-C finish the epoch and save; a second Ctrl-C stops at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """Remember that the process was asked to stop, until the loop reaches a safe point."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    @property
    def requested(self) -> bool:
        """Whether the process was asked to stop."""
        return self.signal_number is not None

    @property
    def exit_code(self) -> int:
        """The exit status that a shell gives to a process that the signal ended."""
        return 128 + (self.signal_number or 0)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals while the loop runs; signals reach the main thread alone."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {}
        for number in STOPPING:
            before[int(number)] = signal.signal(number, self._note)
        try:
            yield
        finally:
            for previous, handler in before.items():
                signal.signal(previous, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal_number = number
        print(
            f"\n{signal.Signals(number).name}: finishing the epoch and saving;"
            " press Ctrl-C again to stop at once",
            flush=True,
        )
