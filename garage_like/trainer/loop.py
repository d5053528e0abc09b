"""Loop: epoch after epoch, with rows, safe points, signals and snapshots.

Words:
    epoch       collect, update, log, snapshot: what the loop below does once
    itr         garage's counter of train calls; an algorithm may count several in an epoch
    env step    one `env.step`
    safe point  the moment between two epochs at which a snapshot is taken
    restore     load a snapshot into objects;  resume  restore, then go on training

`Trainer` drives an algorithm through it, `epochs` the body of anyone's loop. How a snapshot comes
back is in `resumable.py`; what is on the disk is the session's: see `session.py`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from garage_like.callbacks.callback import EndedEpoch
from garage_like.errors import NotSetupError
from garage_like.logging import (
    end_progress,
    heard,
    logger,
    show_progress,
    tabular,
    tracked,
)
from garage_like.logging.logger_state import clear_row
from garage_like.logging.notices import printing_forgiven
from garage_like.logging.steps import log_step
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.rng import set_global_rng
from garage_like.snapshot.schedule import is_row_due
from garage_like.trainer.namespace import caller
from garage_like.trainer.resumable import Resumable
from garage_like.trainer.safe_points import SafePoint, is_watched, reach, stops_after
from garage_like.trainer.state import OpenEpoch, TrainArgs, check_count


class Loop(Resumable):
    """Go through epochs; log, save and restore between them.

    Attributes:
        ends_here: whether training ends with the epoch under way, though more were asked for.

    Args:
        config: where and when to save.
    """

    def __init__(self, config: SnapshotConfig) -> None:
        super().__init__(config)
        self._open_epoch: OpenEpoch | None = None
        self.ends_here = False

    # ---- the stretch of training ------------------------------------------------------------

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        """Hold the run directory, its logs, and the signals, while the block trains."""
        sampler = self._sampler
        own_logs = self._own_logs()
        self._session.start_from(self._args_of_training(), self._stats, self._graph())
        writing = self._session.writing(self._restored)
        with printing_forgiven(), own_logs, heard(), self._interruption.listening(), writing:
            self._note_changes_by_hand()
            self._session.describe(self._algo, self._env, self._callbacks.kept)
            self._open_epoch = None
            try:
                yield
            except KeyboardInterrupt:
                raise
            except BaseException:
                try:
                    self._leave_unfinished()
                except Exception as second:  # what ended training is what is to be heard of
                    logger.log(f"The last epoch could not be saved: {second}")
                raise
            else:
                self._leave_early()
            finally:
                end_progress()
                self._session.end_stage(self._stats.total_epoch)
                if sampler is not None:
                    sampler.shutdown_worker()

    def _leave_early(self) -> None:
        """Finish an epoch that the loop's body broke off by itself, if it did anything before."""
        left = self._open_epoch
        if left is None:
            return
        if left.mark == self._mark() and self._is_as_before(left.epoch):
            self._leave_unfinished()
            return
        self._open_epoch = None
        with logger.prefix(f"epoch #{left.epoch} | "):
            self._finish_epoch(left.epoch, time.perf_counter() - left.started, ends=True)
            self._reach_safe_point(left.epoch)

    def _leave_unfinished(self) -> None:
        """Keep row and state of the last epoch that was finished, where another was broken off.

        That has changed the objects half: the state before it is on the disk, or held in memory.
        """
        left, self._open_epoch = self._open_epoch, None
        if left is None:
            return
        last = left.epoch - 1
        with logger.prefix(f"epoch #{left.epoch} | "):
            tabular.mark_all()  # of the epoch that was not finished
            tabular.clear()
            is_new = last >= self._args_of_training().start_epoch
            # Before the row: the snapshot knows it as let go by, and a resume may write it again.
            is_saved = is_new and self._session.save_held(last)
            self._write_row(left.itr)
            if is_new and not is_saved and not self._config.saves_nothing:
                logger.log(
                    f"Epoch #{last} was the last to be finished, but epochs are too short for each"
                    f" to be saved: a resume goes on after epoch #{self._session.last_saved}"
                )

    def _is_as_before(self, epoch: int) -> bool:
        """Tell whether the objects are as an epoch found them; those just restored, by the mark."""
        if epoch == self._args_of_training().start_epoch:
            return self._restored is not None
        return self._session.is_as_saved(self._graph(), epoch - 1)

    def _mark(self) -> tuple[Any, ...]:
        """Return what an epoch that does anything is all but sure to change, in objects or not."""
        stats = self._stats
        numbers = np.random.get_state(legacy=False)["state"]
        drawn = (int(numbers["pos"]), int(numbers["key"][0])) if "pos" in numbers else ()
        steps = (self.step_itr, stats.total_env_steps, stats.total_episodes)
        return (*steps, bool(tabular.as_primitive_dict), drawn, tracked.state())

    # ---- the loop -------------------------------------------------------------------------------

    def step_epochs(self) -> Iterator[int]:
        """Yield epoch after epoch; log and save when the loop's body is through with one.

        What an algorithm that loops itself does before the loop is done again on a resume. Its
        local variables that outlive an epoch are then set to what was saved of them.
        """
        args = self._args_of_training()
        self.ends_here = False
        if self._sampler is not None:
            self._sampler.start_worker()
        self.step_itr = self._stats.total_itr
        tracked.set_state(self._stats.tracked)
        if self._rng is not None:
            set_global_rng(self._rng)
            self._rng = None  # a further stage goes on with what is then
        self._reach_safe_point(args.start_epoch - 1, begins=True)
        watched = self._session.label.modules.loop
        if bound := watched.enter(caller(1), self._graph()):
            logger.log(f"Restored beside the objects: {', '.join(sorted(bound))}")
        try:
            yield from self._go_through(args)
        finally:
            watched.leave()

    def _go_through(self, args: TrainArgs) -> Iterator[int]:
        began = time.perf_counter()
        show_progress(args.start_epoch, args.n_epochs, None)
        if self._sampler is not None:
            log_step("Obtaining samples...")
        epoch = args.start_epoch
        while epoch < args.n_epochs:
            with logger.prefix(f"epoch #{epoch} | "):
                started = self._open(epoch)
                yield epoch
                epoch, started = yield from self._pass_over(epoch, started)
                self._open_epoch = None
                self._finish_epoch(epoch, time.perf_counter() - started, self.ends_here)
            if self.ends_here:
                self._reach_safe_point(epoch)
                return
            per_epoch = (time.perf_counter() - began) / (epoch + 1 - args.start_epoch)
            show_progress(epoch + 1, args.n_epochs, per_epoch * (args.n_epochs - epoch - 1))
            self._reach_safe_point(epoch)
            if self._interruption.requested:
                self._session.wait()
                self._session.news.say_how_to_resume(epoch)
                raise SystemExit(self._interruption.exit_code)
            epoch += 1

    def _open(self, epoch: int) -> float:
        """Take note of an epoch that begins; return when."""
        started = time.perf_counter()
        self.step_episode = None
        self._open_epoch = OpenEpoch(epoch, started, self.step_itr, self._mark())
        return started

    def _pass_over(self, epoch: int, started: float) -> Generator[int, None, tuple[int, float]]:
        """Yield the epochs before which nothing is to be done; return the last and its begin.

        There is something to be done after each, but see `epochs`, whose may be short.
        """
        yield from ()
        return epoch, started

    def _reach_safe_point(self, epoch: int, begins: bool = False) -> None:
        if is_watched():
            row = {} if begins else self._last_row
            n_epochs = self._args_of_training().n_epochs
            graph, wait = self._graph(), self._session.wait
            reach(SafePoint(epoch, begins, n_epochs, graph, row, self.run_dir, wait))

    def _finish_epoch(self, epoch: int, seconds: float, ends: bool = False) -> None:
        """Log the epoch's row, then take its snapshot: so no row is missing or doubled.

        Args:
            epoch: the one that was finished.
            seconds: how long it took.
            ends: whether training ends with it, though more epochs were asked for.
        """
        args = self._args_of_training()
        failures = self._session.news.report()
        if failures:
            tabular.record("Snapshot/Failures", failures)
        self._stats.total_epoch = epoch
        self._stats.total_itr = self.step_itr
        self._stats.train_seconds += seconds
        self._stats.last_episode = self.step_episode if args.store_episodes else None
        if self._has_row():
            self.log_diagnostics(args.pause_for_plot)
            tabular.record("EpochTime", seconds)
            tabular.record("TotalTime", self._stats.train_seconds)
        ended = EndedEpoch(epoch, self._algo, self)
        stopped_by = self._callbacks.call(ended) or ("the algorithm's own loop" if ends else "")
        if ends or stopped_by:
            self.ends_here = True
            args = replace(args, n_epochs=epoch + 1, stopped_by=stopped_by)
            self._train_args = args
        n_epochs = args.n_epochs
        if self._has_row():
            self._log_row(is_row_due(self._config, epoch, n_epochs))
        self._stats.tracked = tracked.state()
        if self._config.video_interval and epoch % self._config.video_interval == 0:
            from garage_like.pictures.playing import film_epoch

            make_env = None if self._env is None else self.get_evaluation_env
            film_epoch(self.run_dir, epoch, self._algo, make_env)
        if epoch + 1 < n_epochs and stops_after(epoch + 1):
            self._interruption.request()
        due = self._session.is_due(epoch, n_epochs, self._stats, self._last_row)
        if due or (
            (self._interruption.requested or ended.saves) and not self._config.saves_nothing
        ):
            with self._session.news.telling_what_is_lost(epoch):
                self.save(epoch)
            if ended.pins:
                self._session.pin(epoch)
        else:
            self._session.hold(self._graph, epoch, self._last_row)

    def _has_row(self) -> bool:
        return self.enable_logging

    def _log_row(self, is_due: bool) -> None:
        for tag, value in tracked.take().items() if is_due else ():
            tabular.record(tag, value)
        self._last_row = dict(tabular.as_primitive_dict)
        self._stats.passed_over = None if is_due else self._last_row
        if is_due:
            logger.log(f"Time {self._stats.train_seconds:.2f} s")
            logger.log(f"EpochTime {self._last_row['EpochTime']:.2f} s")
            logger.log(tabular)
            logger.dump_all(self.step_itr)
        else:
            tabular.mark_all()
        clear_row()

    def _write_row(self, itr: int) -> None:
        """Write the row of the last epoch, if `log_interval` had passed it over."""
        interval, row = self._config.log_interval, self._stats.passed_over
        if row is None or (interval != "auto" and interval <= 0):
            return
        for key, value in row.items():
            tabular.record(key, value)
        logger.log(tabular)
        logger.dump_all(itr)
        tabular.clear()
        self._stats.passed_over = None

    def save(self, epoch: int) -> None:
        """Take a snapshot of the run as it stands; the loop calls this when one is due.

        What stands is copied now. While training goes on it is written behind, and `train` and
        `resume` return when the last one is durable; where no loop runs, this returns when it is.
        A snapshot that is not taken or not kept is told of in the log.

        Raises:
            NotSetupError: if there is nothing to save.
            SnapshotSaveError: if something cannot be pickled or written; names it.
        """
        if self._algo is None:
            raise NotSetupError(
                "save: nothing to save; call setup(algo, env) or restore(dir) first"
            )
        check_count("epoch", epoch, 0)
        self._args_of_training()
        lost = self._session.news.telling_what_is_lost(epoch, whatever_fails=True)
        with heard(), lost:
            if self._config.saves_nothing or not self._config.has_directory:
                logger.log(
                    f"save: no snapshot of epoch #{epoch}, since saving is switched off; give"
                    " Trainer a SnapshotConfig with a snapshot_dir and a mode that saves"
                )
                return
            logger.log("Saving snapshot...")
            with self._logs_between_trainings(), self._session.saving(epoch):
                self._session.save(self._graph, epoch, self._last_row)
