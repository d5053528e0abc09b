"""What values look like on the page."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote


def number(value: Any) -> str:
    """Shorten a number to what a person compares."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or value.is_integer():
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:,.1f}" if 100 <= abs(value) < 1e9 else f"{value:.4g}"


def size(count: float) -> str:
    """Shorten a size: 1.4 MB."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while count >= 999.5 and len(units) > 1:
        count, units = count / 1000, units[1:]
    return f"{count:.{0 if units[0] == 'B' or count >= 99.5 else 1}f} {units[0]}"


def ago(unix_time: float) -> str:
    """Say how long ago a moment was."""
    seconds = max(time.time() - unix_time, 0.0)
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def plain(value: Any) -> str:
    """Return any value as text: JSON where it is no text."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


FILTERS = {
    "number": number,
    "size": size,
    "ago": ago,
    "plain": plain,
    "quoted": lambda text: quote(text, safe=""),
}
