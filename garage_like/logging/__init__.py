"""Log text and metrics: to progress.csv and .jsonl, debug.log, TensorBoard and the console.

`logger` and `tabular` are dowel's own singletons where dowel is installed, and work alike where it
is not. Names are loaded when they are first used, so importing this package does not load dowel;
loading dowel through it does not load TensorFlow, torch, matplotlib or SciPy.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.logging.console_output import ConsoleOutput as ConsoleOutput
    from garage_like.logging.console_output import end_progress as end_progress
    from garage_like.logging.console_output import show_progress as show_progress
    from garage_like.logging.csv_output import CsvOutput as CsvOutput
    from garage_like.logging.episode_metrics import track_episodes as track_episodes
    from garage_like.logging.fallback import heard as heard
    from garage_like.logging.json_lines_output import JsonLinesOutput as JsonLinesOutput
    from garage_like.logging.light_imports import Histogram as Histogram
    from garage_like.logging.light_imports import LogOutput as LogOutput
    from garage_like.logging.light_imports import StdOutput as StdOutput
    from garage_like.logging.light_imports import TabularInput as TabularInput
    from garage_like.logging.light_imports import logger as logger
    from garage_like.logging.light_imports import tabular as tabular
    from garage_like.logging.run_logs import RunLogs as RunLogs
    from garage_like.logging.run_logs import active_run_logs as active_run_logs
    from garage_like.logging.summary_writer import writer as writer
    from garage_like.logging.tensorboard_output import TensorBoardOutput as TensorBoardOutput
    from garage_like.logging.text_output import TextOutput as TextOutput
    from garage_like.logging.tracked_data import track_data as track_data
    from garage_like.logging.tracked_data import tracked as tracked

__getattr__, __dir__, __all__ = lazy.names(__name__)
