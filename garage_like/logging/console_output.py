"""ConsoleOutput: what a user watches while an experiment runs."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from garage_like.logging.light_imports import StdOutput, logger
from garage_like.logging.notices import heedless, printable_but_for_colours
from garage_like.logging.plain_text import stamp, stamped, table_text

if TYPE_CHECKING:
    from garage_like.logging.terminal import Terminal


class ConsoleOutput(StdOutput):
    """Print messages and rows to standard output.

    On a terminal, rows are tables in groups and a bar shows how far the run is; elsewhere there is
    plain text, and no bar.
    """

    def __init__(self) -> None:
        super().__init__()
        self._terminal: Terminal | None = None

    @property
    def terminal(self) -> Terminal | None:
        """The terminal, if standard output is one."""
        if self._terminal is None and is_terminal():
            from garage_like.logging.terminal import Terminal

            self._terminal = Terminal()
        return self._terminal

    def record(self, data: Any, prefix: str = "") -> None:
        """Print a message, stamped with the time, or a row."""
        with heedless():
            self._show(data, prefix)
        if not isinstance(data, str):
            data.mark_str()

    def _show(self, data: Any, prefix: str) -> None:
        terminal = self.terminal
        if isinstance(data, str):
            message = printable_but_for_colours(prefix + data)
            if terminal is None:
                print(stamped(message, time.time()))
            else:
                terminal.message(stamp(time.time()), message)
        else:
            if terminal is None:
                print(table_text(data.as_primitive_dict))
            else:
                terminal.table(data.as_primitive_dict)
        _flush()

    def dump(self, step: int | None = None) -> None:
        """Hand everything over to the system."""
        with heedless():
            _flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._terminal is not None:
            with heedless():
                self._terminal.end_progress()
        super().close()


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def is_terminal() -> bool:
    """Tell whether standard output is a terminal that can move its cursor."""
    return (
        sys.stdout is not None
        and bool(sys.stdout.isatty())
        and os.environ.get("TERM", "dumb") != "dumb"
    )


def show_progress(done: int, total: int, seconds_left: float | None) -> None:
    """Show on every terminal that is logged to how far the run is."""
    for output in logger._outputs:
        if isinstance(output, ConsoleOutput):
            with heedless():
                if output.terminal is not None:
                    output.terminal.progress(done, total, seconds_left)


def end_progress() -> None:
    """Take the bars away."""
    for output in logger._outputs:
        if isinstance(output, ConsoleOutput):
            with heedless():
                if output.terminal is not None:
                    output.terminal.end_progress()
