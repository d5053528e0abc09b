"""Terminal: rows as tables in three groups, and a bar that says how long a run still takes.

rich is loaded when a terminal is written to, so a run whose output goes to a file is spared it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from garage_like.logging.glossary import grouped
from garage_like.logging.plain_text import cell_text

_TITLES = {"evaluation": "Evaluation", "train": "Training", "misc": "Run"}


class Terminal:
    """Print messages and rows; keep a bar in the last line while a run trains.

    Args:
        console: rich's.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def message(self, stamp: str, text: str) -> None:
        """Print a line, its time stamp dim."""
        self._console.print(Text(f"{stamp} | ", style="dim") + Text(text), soft_wrap=True)

    def table(self, values: Mapping[str, Any]) -> None:
        """Print a row: its groups beside each other where there is room."""
        groups = grouped(values)
        blocks = [_block(title, groups[group]) for group, title in _TITLES.items() if groups[group]]
        self._console.rule(style="dim")
        self._console.print(Columns(blocks, padding=(0, 4)))

    def progress(self, done: int, total: int, seconds_left: float | None) -> None:
        """Show how far the run is.

        Args:
            done: epochs finished.
            total: epochs that the run will have.
            seconds_left: an estimate, or None.
        """
        left = "" if seconds_left is None else f"{_duration(seconds_left)} left"
        if self._progress is None:
            self._progress = Progress(
                TextColumn("epoch {task.completed}/{task.total}"),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[left]}"),
                console=self._console,
                auto_refresh=False,  # no thread: the bar moves with epochs and messages
                transient=True,
                expand=True,
            )
            self._task = self._progress.add_task("", total=total, left=left)
            self._progress.start()
        self._progress.update(self._task, completed=done, total=total, left=left, refresh=True)

    def end_progress(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _block(title: str, values: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, title=title)
    table.title_justify, table.title_style = "left", "bold"
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="cyan", no_wrap=True)
    for key, value in sorted(values.items()):
        table.add_row(Text(key.removeprefix(f"{title}/")), Text(cell_text(value)))
    return table


def _duration(seconds: float) -> str:
    """Shorten a duration to its two largest units: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = max(round(seconds), 0)
    units = [("d", 86400), ("h", 3600), ("min", 60), ("s", 1)]
    parts: list[str] = []
    for name, size in units:
        count, whole = divmod(whole, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2])
