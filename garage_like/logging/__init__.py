"""Log text and metrics: to progress.csv and .jsonl, debug.log, TensorBoard and the console.

`logger` and `tabular` are dowel's own singletons. Names are loaded when they are first used, so
importing this package does not load dowel; loading dowel through it does not load TensorFlow,
torch, matplotlib or SciPy.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.logging.console_output import ConsoleOutput, end_progress, show_progress
    from garage_like.logging.csv_output import CsvOutput
    from garage_like.logging.episode_metrics import track_episodes
    from garage_like.logging.fallback import heard
    from garage_like.logging.json_lines_output import JsonLinesOutput
    from garage_like.logging.light_imports import Histogram, logger, tabular
    from garage_like.logging.run_logs import RunLogs, active_run_logs
    from garage_like.logging.summary_writer import writer
    from garage_like.logging.tensorboard_output import TensorBoardOutput
    from garage_like.logging.text_output import TextOutput
    from garage_like.logging.tracked_data import track_data, tracked

_HOMES = {
    "ConsoleOutput": "garage_like.logging.console_output",
    "CsvOutput": "garage_like.logging.csv_output",
    "Histogram": "garage_like.logging.light_imports",
    "JsonLinesOutput": "garage_like.logging.json_lines_output",
    "RunLogs": "garage_like.logging.run_logs",
    "TensorBoardOutput": "garage_like.logging.tensorboard_output",
    "TextOutput": "garage_like.logging.text_output",
    "active_run_logs": "garage_like.logging.run_logs",
    "end_progress": "garage_like.logging.console_output",
    "heard": "garage_like.logging.fallback",
    "logger": "garage_like.logging.light_imports",
    "show_progress": "garage_like.logging.console_output",
    "tabular": "garage_like.logging.light_imports",
    "track_data": "garage_like.logging.tracked_data",
    "track_episodes": "garage_like.logging.episode_metrics",
    "tracked": "garage_like.logging.tracked_data",
    "writer": "garage_like.logging.summary_writer",
}

__all__ = [
    "ConsoleOutput",
    "CsvOutput",
    "Histogram",
    "JsonLinesOutput",
    "RunLogs",
    "TensorBoardOutput",
    "TextOutput",
    "active_run_logs",
    "end_progress",
    "heard",
    "logger",
    "show_progress",
    "tabular",
    "track_data",
    "track_episodes",
    "tracked",
    "writer",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like.logging' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
