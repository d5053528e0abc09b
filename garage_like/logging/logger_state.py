"""LoggerState: outputs, prefixes and unfinished row of dowel's singletons, put away and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from garage_like.logging.light_imports import logger, tabular
from garage_like.logging.notices import warn
from garage_like.logging.tracked_data import tracked

# dowel offers no way to read these, so its private attributes are used here, and here alone.


class LoggerState:
    """Take what `logger` and `tabular` hold at this moment, to bring it back later."""

    def __init__(self) -> None:
        self._outputs = list(logger._outputs)
        self._prefixes = list(logger._prefixes)
        self._table_prefixes = list(tabular._prefixes)
        self._row = dict(tabular._dict)
        self._recorded = set(tabular._recorded)
        self._tracked = tracked.state()

    def restore(self) -> None:
        """Bring it back."""
        logger._outputs = list(self._outputs)
        _set_prefixes(self._prefixes, self._table_prefixes)
        tabular._dict = dict(self._row)
        tabular._recorded = set(self._recorded)
        tracked.set_state(self._tracked)


def begin_anew(*, keep_outputs: bool) -> None:
    """Take the prefixes and the unfinished row away, and the outputs unless they are to be kept."""
    if not keep_outputs:
        logger._outputs = []
    _set_prefixes([], [])
    drop_unfinished_row()
    tracked.take()


def drop_unfinished_row() -> None:
    """Forget what was recorded in `tabular` since it was last cleared, without dowel's warning."""
    tabular._dict = {}
    tabular._recorded = set()


def has_row() -> bool:
    """Tell whether anything is recorded in `tabular`, or tracked, for the next row."""
    return bool(tabular._dict) or not tracked.is_empty


def clear_row() -> None:
    """Clear `tabular`; dowel's warning of what no output took does not end training."""
    try:
        tabular.clear()
    except Warning as error:
        drop_unfinished_row()
        warn(str(error), type(error))


def exchange_output(old: Any, new: Sequence[Any]) -> None:
    """Put outputs in the place of one; if the user took that away, they stay away too.

    A new list is made, so that an output may call this while the logger walks through the old one.
    """
    index = logger._outputs.index(old) if old in logger._outputs else None
    if index is not None:
        logger._outputs = [*logger._outputs[:index], *new, *logger._outputs[index + 1 :]]


def _set_prefixes(messages: list[str], table: list[str]) -> None:
    logger._prefixes, logger._prefix_str = list(messages), "".join(messages)
    tabular._prefixes, tabular._prefix_str = list(table), "".join(table)
