"""Which numbers measure how long something took: they differ each time, and are not compared."""

import re

_COLUMNS = re.compile(r"(Time|Seconds|PerSecond)$")
_PATHS = re.compile(r"\._seconds\.|ExecTime$|\.timer(_\w+)?\.|^stats\.train_seconds$")


def is_time(column: str) -> bool:
    """Tell whether a column of the log measures time."""
    return _COLUMNS.search(column) is not None


def is_time_at(path: str) -> bool:
    """Tell whether what is at a path of the object graph measures time."""
    return _PATHS.search(path) is not None
