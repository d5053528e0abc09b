"""TabularInput, as dowel has it: the row of the log that is being filled."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from garage_like.logging.plain_text import table_text

_YELLOW, _PLAIN = "\x1b[33m", "\x1b[0m"


class TabularInputWarning(UserWarning):
    """Something was recorded in a table that no output took."""


class Prefixed:
    """Keep a stack of prefixes, and warn of each thing once."""

    _category: type[Warning] = UserWarning

    def __init__(self) -> None:
        self._prefixes: list[str] = []
        self._prefix_str = ""
        self._warned_once: set[str] = set()
        self._disable_warnings = False

    @contextlib.contextmanager
    def prefix(self, prefix: str) -> Iterator[None]:
        """Put a prefix before what comes within a `with` block."""
        self.push_prefix(prefix)
        try:
            yield
        finally:
            self.pop_prefix()

    def push_prefix(self, prefix: str) -> None:
        """Put one more prefix before what comes."""
        self._prefixes.append(prefix)
        self._prefix_str = "".join(self._prefixes)

    def pop_prefix(self) -> None:
        """Take the last prefix away."""
        del self._prefixes[-1]
        self._prefix_str = "".join(self._prefixes)

    def disable_warnings(self) -> None:
        """Keep quiet about what no output takes."""
        self._disable_warnings = True

    def _warn(self, message: str) -> None:
        if not self._disable_warnings and message not in self._warned_once:
            warnings.warn(f"{_YELLOW}{message}{_PLAIN}", self._category, stacklevel=3)
        self._warned_once.add(message)


class TabularInput(Prefixed):
    """A row: values by their columns, until it is logged and cleared."""

    _category = TabularInputWarning

    def __init__(self) -> None:
        super().__init__()
        self._dict: dict[str, Any] = {}
        self._recorded: set[str] = set()

    def __str__(self) -> str:
        """Return the row as people read it."""
        return table_text(self.as_primitive_dict)

    def record(self, key: Any, val: Any) -> None:
        """Set a column of the row."""
        self._dict[self._prefix_str + str(key)] = val

    def record_misc_stat(self, key: str, values: Any, placement: str = "back") -> None:
        """Record average, deviation, median and extremes of numbers; NaN where there are none.

        Args:
            key: that is part of the columns' names.
            values: a list of numbers.
            placement: of the name of the statistic: before the key, or at its back.
        """
        front, back = ("", key) if placement == "front" else (key, "")
        statistics: dict[str, Callable[[Any], Any]] = {
            "Average": np.average,
            "Std": np.std,
            "Median": np.median,
            "Min": np.min,
            "Max": np.max,
        }
        for name, statistic in statistics.items():
            self.record(front + name + back, statistic(values) if len(values) else np.nan)

    def mark(self, key: str) -> None:
        """Say that an output took a column."""
        self._recorded.add(key)

    def mark_str(self) -> None:
        """Say that an output took all numbers and strings."""
        self._recorded |= self.as_primitive_dict.keys()

    def mark_all(self) -> None:
        """Say that an output took everything."""
        self._recorded |= self._dict.keys()

    def clear(self) -> None:
        """Begin the next row; warn of what no output took."""
        for key, value in self._dict.items():
            if key not in self._recorded:
                self._warn(
                    f"TabularInput {{{key}: type({type(value).__name__})}} was not accepted by any"
                    " output"
                )
        self._dict.clear()
        self._recorded.clear()

    @property
    def as_primitive_dict(self) -> dict[str, Any]:
        """The numbers and strings."""
        return {key: value for key, value in self._dict.items() if np.isscalar(value)}

    @property
    def as_dict(self) -> dict[str, Any]:
        """Everything."""
        return self._dict
