"""News: what the log says of the snapshots of a run, and of those that could not be had.

Whether a snapshot that failed ends training (`on_save_error`) is decided here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace

from garage_like.errors import RunLockedError, SnapshotError, SnapshotWriteError
from garage_like.logging import logger
from garage_like.logging.notices import say, warn
from garage_like.logging.steps import log_of_epoch
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.layout import epochs_in
from garage_like.snapshot.job import SaveReport
from garage_like.snapshot.snapshotter import Snapshotter
from garage_like.trainer.label import Label
from garage_like.trainer.restore_trials import RestoreTrials


class News:
    """Tell what becomes of snapshots: those that were saved, failed, or would not come back.

    Args:
        config: whether a failure ends training, and whether restores are tried.
        snapshotter: whose snapshots they are.
        label: told of what would not come back.

    Attributes:
        trials: of what was saved, restored beside training.
    """

    def __init__(self, config: SnapshotConfig, snapshotter: Snapshotter, label: Label) -> None:
        self._config, self._snapshotter, self._label = config, snapshotter, label
        self._run_dir = config.run_dir
        self._failures = 0
        self.trials = RestoreTrials(config.try_restore)

    def report(self) -> int:
        """Say which snapshots have become durable and which could not be written.

        Returns:
            How many could not be written since this was last called.

        Raises:
            SnapshotWriteError: if one could not, and `on_save_error` is `'raise'`.
            RunLockedError: if another process has taken the run over.
        """
        self.tell(self._snapshotter.report())
        self.hear_of_restores()
        failures, self._failures = self._failures, 0
        return failures

    def tell(self, report: SaveReport) -> None:
        """Log what became of captures; warn of those that could not be written, or raise.

        A run that another process has taken over is not gone on with, whatever was asked for.
        """
        taken_over = [error for error in report.errors if isinstance(error, RunLockedError)]
        raises = taken_over or self._config.on_save_error == "raise"
        self.say(replace(report, errors=[]) if raises else report)
        if report.errors and raises:
            raise [*taken_over, *report.errors][0]

    def say(self, report: SaveReport) -> None:
        """Log what became of captures; warn of those that could not be written."""
        for epoch in report.committed:
            log_of_epoch(epoch, "Saved")
        if report.committed:
            newest = report.committed[-1]
            classes = self._snapshotter.take_classes(newest)
            self.trials.begin(self._snapshotter.store.path(newest), classes)
        for problem in report.damaged:
            logger.log(f"An earlier snapshot is damaged, the new one is whole: {problem}")
            warn(f"an earlier snapshot is damaged: {problem}", stacklevel=3)
        for error in report.errors:
            self._failures += 1
            logger.log(f"A snapshot could not be saved, training goes on: {error}")
            warn(f"a snapshot could not be saved: {error}", stacklevel=3)

    def hear_of_restores(self, waits: bool = False) -> None:
        """Say what would not come back, and say so in the snapshots, if that is known by now."""
        for problem in self.trials.problems(waits):
            if problem in self._label.not_restored:
                continue
            self._label.not_restored.append(problem)
            logger.log(f"What is saved cannot all be restored, training goes on: {problem}")
            warn(f"what is saved cannot all be restored: {problem}", stacklevel=4)
            self._snapshotter.store.relabel(problem)

    @contextlib.contextmanager
    def telling_what_is_lost(self, epoch: int, *, whatever_fails: bool = False) -> Iterator[None]:
        """Tell of a snapshot that the block could not take: it is lost, and the run is not.

        Args:
            epoch: of the snapshot.
            whatever_fails: any error counts but those that a user is to hear of. Where memory is
                short, C code raises a TypeError, a KeyError or what else it takes that to mean.
        """
        try:
            yield
        except SnapshotWriteError as error:
            self.tell(SaveReport(errors=[error]))
        except (MemoryError, SystemError):  # C code makes the latter of the former at times
            lost = f"there was not enough memory to save epoch {epoch}"
            self.tell(SaveReport(errors=[SnapshotWriteError(lost)]))
        except Exception as error:
            if isinstance(error, SnapshotError | RunLockedError) or not whatever_fails:
                raise
            lost = f"epoch {epoch} is not saved: {type(error).__name__}: {error}"
            self.tell(SaveReport(errors=[SnapshotWriteError(lost)]))

    def look_for(self, last: int | None) -> None:
        """Say last of all if the final snapshot is not there, since training ends well."""
        if last is not None and last not in epochs_in(self._snapshotter.store.dir):
            message = f"The last snapshot, of epoch #{last}, is missing in {self._run_dir}"
            logger.log(f"{message}: it could not be written, or was removed")

    def say_how_to_resume(self, epoch: int) -> None:
        """Print the command that continues the run."""
        if self._config.saves_nothing:
            say(f"Stopped after epoch {epoch}; nothing was saved, since saving is switched off")
            return
        try:
            shown = os.path.relpath(self._run_dir)
        except (OSError, ValueError):  # where the process stands was removed, or another drive
            shown = os.fspath(self._run_dir)
        say(f"Stopped after epoch {epoch}, saved. To go on:\n  garage-like resume {shown}")
