"""A progress bar that advances with each row of the log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from garage_like.cli.printing import printable, short_number
from garage_like.logging import logger
from garage_like.logging.light_imports import LogOutput, TabularInput
from garage_like.runs.overview import RETURN

if TYPE_CHECKING:
    from garage_like.trainer.trainer import Trainer


class EpochBar(LogOutput):
    """Advance a bar by one for each table that is logged.

    Args:
        trainer: knows how many epochs there are.
        progress: what draws the bar.
    """

    def __init__(self, trainer: Trainer, progress: Progress) -> None:
        self._trainer = trainer
        self._progress = progress
        self._task = progress.add_task("restoring", total=None)

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Tables."""
        return (TabularInput,)

    def record(self, data: Any, prefix: str = "") -> None:
        """Count an epoch."""
        args = self._trainer.train_args
        if self._progress.tasks[self._task].total is None:
            self._progress.update(self._task, total=args["n_epochs"], completed=args["start_epoch"])
        value = data.as_primitive_dict.get(RETURN)
        shown = "epochs" if value is None else f"return {printable(short_number(value))}"
        self._progress.update(self._task, advance=1, description=shown)


@contextlib.contextmanager
def epoch_bar(trainer: Trainer) -> Iterator[None]:
    """Show a bar on standard error while the block trains."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = EpochBar(trainer, progress)
        logger.add_output(bar)
        try:
            yield
        finally:
            logger.remove_output_type(EpochBar)
