"""How a message and a row look as plain text."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np


def stamp(seconds: float) -> str:
    """Write a moment in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def stamped(text: str, seconds: float) -> str:
    """Put the local time of day in front of a line."""
    return f"{stamp(seconds)} | {text}"


def cell_text(value: Any) -> str:
    """Shorten a number for people: six digits."""
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def table_text(values: Mapping[str, Any]) -> str:
    """Lay out a table, keys in alphabetical order."""
    texts = {key: cell_text(value) for key, value in sorted(values.items())}
    widths = [max(map(len, column), default=0) for column in (texts.keys(), texts.values())]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([rule, *(f"{key:{widths[0]}}  {text}" for key, text in texts.items()), rule])
