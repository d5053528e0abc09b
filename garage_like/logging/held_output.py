"""HeldOutput: what is logged before it is known whether a run starts over or goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from garage_like.logging.light_imports import LogOutput, TabularInput
from garage_like.logging.plain_text import stamped, table_text
from garage_like.logging.text_output import TextOutput


class HeldOutput(LogOutput):
    """Keep messages and tables in memory until they are handed to the outputs that write them.

    Args:
        max_tables: with one more than this many, `when_full` is called.
        when_full: takes what is kept.

    Attributes:
        events: TensorBoard events of the user's own.
    """

    def __init__(self, max_tables: int, when_full: Callable[[], None]) -> None:
        self._max_tables = max_tables
        self._when_full = when_full
        self._lines: list[str] = []
        self._tables: list[dict[str, Any]] = []
        self.events: list[Any] = []

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Messages and tables."""
        return (str, TabularInput)

    def record(self, data: Any, prefix: str = "") -> None:
        """Keep a message, stamped with the time, or a table."""
        if isinstance(data, str):
            self._lines.append(stamped(prefix + data, time.time()))
            return
        self._lines.append(table_text(data.as_primitive_dict))
        self._tables.append(dict(data.as_dict))
        data.mark_all()
        if len(self._tables) > self._max_tables:
            self._when_full()

    def take_lines_of(self, other: HeldOutput) -> None:
        """Keep the messages that another kept, too, after one's own."""
        self._lines += other._lines
        other._lines.clear()

    def write_lines(self, text: TextOutput) -> None:
        """Write the messages, and the tables as text, in their order."""
        for line in self._lines:
            text.write_line(line)
        self._lines.clear()

    def write_tables(self, *outputs: LogOutput) -> None:
        """Write the tables as rows."""
        for values in self._tables:
            table = TabularInput()
            for key, value in values.items():
                table.record(key, value)
            for output in outputs:
                output.record(table)
        self._tables.clear()
