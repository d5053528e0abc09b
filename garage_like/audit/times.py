"""Which numbers measure how long something took: they differ each time, and are not compared."""

import re

_COLUMNS = re.compile(r"(Time|Seconds|PerSecond)$|^time/")
_OURS = (
    *(r"\._seconds\.", r"ExecTime$", r"\.timer(_\w+)?\.", r"^stats\.train_seconds$"),
    r"^stats\.passed_over\b",  # rows are compared as such
)
_OF_LIBRARIES = (
    r"\.(_?start_time|t_start|_?timestamp)$",  # Stable-Baselines3, skrl, tianshou, many a script
    r"\.(_?policy_update|collect|train|training|play|update)_time$",  # tianshou, rl_games
    r"\.(collect|update)_speed$|time \(ms\)\[\d+\]$",  # tianshou; skrl's tracked data
    r"\.episode_times\[\d+\]$|\.ep_info_buffer\[\d+\]\.t$",  # Stable-Baselines3
    r"\.(episode_start_times?|time_queue)\b",  # gymnasium
    r"\.episode\.t(\[|$)|\.name_to_value\.time/",
    r"\._?logger\.dir$|\.experiment_dir$",  # a directory's name has a number or the time
)
_PATHS = re.compile("|".join((*_OURS, *_OF_LIBRARIES)))


def is_time(column: str) -> bool:
    """Tell whether a column of the log measures time."""
    return _COLUMNS.search(column) is not None


def is_time_at(path: str) -> bool:
    """Tell whether what is at a path of the object graph measures time."""
    return _PATHS.search(path) is not None
