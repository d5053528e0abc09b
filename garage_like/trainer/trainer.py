"""Trainer: trains an algorithm epoch by epoch, snapshots it, restores and resumes it.

Words:
    epoch       collect, update, log, snapshot: what the loop below does once
    itr         garage's counter of train calls; an algorithm may count several in an epoch
    env step    one `env.step`
    safe point  the moment between two epochs at which a snapshot is taken
    restore     load a snapshot into objects;  resume  restore, then go on training

`train` and `resume` are one path: train is a resume from nothing. The loop is `step_epochs`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from garage_like.configuration.comparison import ConfigPolicy, check_config_policy
from garage_like.errors import NotSetupError, SnapshotMismatchError
from garage_like.logging import (
    RunLogs,
    end_progress,
    heard,
    logger,
    show_progress,
    tabular,
    tracked,
)
from garage_like.logging.logger_state import clear_row
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.graph.env_state import EnvStates
from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.loading import FromEpoch, LoadedSnapshot, load_snapshot
from garage_like.snapshot.rng import get_global_rng, set_global_rng
from garage_like.snapshot.schedule import is_row_due
from garage_like.trainer.handle import Training
from garage_like.trainer.interruption import Interruption
from garage_like.trainer.safe_points import SafePoint, is_watched, reach
from garage_like.trainer.session import RunSession, env_name
from garage_like.trainer.state import OpenEpoch, TrainArgs, check_count, restored_lines

if TYPE_CHECKING:
    from garage_like.interfaces import Environment, RLAlgorithm


class Trainer(Training):
    """Train an algorithm, and keep snapshots from which training goes on bit for bit.

    Args:
        snapshot_config: where and when to save, or the `ctxt` that `wrap_experiment` hands to an
            experiment. `SnapshotConfig()` without a directory makes one, with logs, when training
            begins; None saves nothing.
    """

    def __init__(self, snapshot_config: SnapshotConfig | None = None) -> None:
        super().__init__()
        if snapshot_config is not None and not isinstance(snapshot_config, SnapshotConfig):
            raise TypeError(
                "Trainer: snapshot_config must be a SnapshotConfig, or the ctxt that"
                f" wrap_experiment hands to the experiment; got {snapshot_config!r}"
            )
        self._config = snapshot_config or SnapshotConfig(snapshot_dir=".", snapshot_mode="none")
        if self._config.video_interval:
            from garage_like.pictures.video import check_video_support

            check_video_support()
        self._session = RunSession(self._config, type(self))
        self._interruption = Interruption()
        self._restored: LoadedSnapshot | None = None
        self._inexact: list[str] = []
        self._rng: dict[str, Any] | None = None
        self._last_row: dict[str, Any] = {}
        self._row_is_written = True
        self._open_epoch: OpenEpoch | None = None

    # ---- what to train --------------------------------------------------------------------------

    def setup(self, algo: RLAlgorithm, env: Environment) -> None:
        """Say what to train.

        Args:
            algo: has `train(trainer)`, and `_sampler` if it draws episodes through the trainer.
            env: saved along with it; the sampler's first worker steps it, others step copies.
        """
        if not callable(getattr(algo, "train", None)):
            raise TypeError(f"setup: algo must have a train(trainer) method, got {algo!r}")
        self._algo, self._env = algo, env

    def restore(
        self,
        from_dir: str | os.PathLike[str],
        from_epoch: FromEpoch = "last",
        *,
        include_buffer: bool | None = None,
        require_exact: bool = False,
        trust: bool = False,
        config_policy: ConfigPolicy = "error",
    ) -> TrainArgs:
        """Load a snapshot; `resume` then goes on from it.

        After `setup`, the state is loaded into the objects that were set up; else into new ones.

        Args:
            from_dir: a run directory, or one snapshot.
            from_epoch: `'last'`, `'first'`, `'best'` or an epoch.
            include_buffer: True insists on replay memory, False leaves it on the disk: it comes
                back empty, and is filled anew by the policy as it is. None takes what was saved.
            require_exact: refuse to go on where bits may differ: from other versions, another
                number of threads, another processor.
            trust: restore though another user wrote it: that runs code which it brings along.
            config_policy: what to do if the snapshot was made with other arguments than the objects
                that were set up: `'error'`, `'warn'` or `'ignore'`. The snapshot's are those that
                count, so an argument that was changed has no effect.

        Returns:
            The arguments that the run was trained with; `start_epoch` is the epoch to go on with.

        Raises:
            SnapshotNotFoundError: if there is no such snapshot, or no replay memory in it.
            SnapshotCorruptError: if it does not verify.
            SnapshotMismatchError: if it holds another algorithm than the one set up, or was made
                with other arguments; or if bits may differ and must not.
            SnapshotUntrustedError: if another user wrote it, and it is not to be trusted.
        """
        check_config_policy(config_policy)
        loaded = load_snapshot(
            from_dir,
            from_epoch,
            best_metric=self._config.best_metric,
            best_mode=self._config.best_mode,
            include_buffer=include_buffer,
        )
        self._check_class(loaded)
        if self._algo is not None:
            self._session.check_configuration(loaded, self._algo, self._env, config_policy)
        if require_exact:  # before anything is built, as far as can be told
            self._session.refuse_inexact(self._session.why_inexact(loaded), loaded.path)
        with restoring_into(components_of(self._live_objects())):
            graph = loaded.graph(trust)
        self._inexact = self._session.why_inexact(loaded)
        if require_exact:
            self._session.refuse_inexact(self._inexact, loaded.path)
        self._restored = replace(loaded, files={})  # objects have copies of what they need
        self._algo, self._env = graph["algo"], graph["env"]
        self._stats = graph["stats"]
        start = self._stats.total_epoch + 1
        self._train_args = replace(graph["train_args"], start_epoch=start)
        self._session.modules.put_back(graph.get("modules", {}))
        self._rng = graph["rng"]
        set_global_rng(self._rng)
        self.step_itr = self._stats.total_itr
        with heard():
            logger.log(f"Restore from snapshot saved in {loaded.path}")
            for line in restored_lines(self._train_args, self._stats):
                logger.log(line)
            self._session.explain_exactness(self._inexact)
        return self._train_args

    def _live_objects(self) -> dict[str, Any]:
        return {} if self._algo is None else {"algo": self._algo, "env": self._env}

    def _check_class(self, loaded: LoadedSnapshot) -> None:
        saved = loaded.manifest.classes.get("algo", "")
        if self._algo is not None and saved.rpartition(".")[2] != type(self._algo).__qualname__:
            raise SnapshotMismatchError(
                f"restore: {loaded.path} holds {saved}, but setup was given"
                f" {type(self._algo).__qualname__}; restore before setup, or another snapshot"
            )

    # ---- train and resume -----------------------------------------------------------------------

    def train(
        self,
        n_epochs: int,
        batch_size: int | None = None,
        plot: bool = False,
        store_episodes: bool = False,
        pause_for_plot: bool = False,
    ) -> Any:
        """Train from epoch 0; with `auto_resume`, from where an earlier start of the run got to.

        After `restore`, this trains the restored objects anew: epochs count from 0, and the run
        needs a directory of its own. Called again, it trains a further stage of the same run:
        epochs, rows and snapshots go on.

        Args:
            n_epochs: epochs in total; of the stage, where this is called again.
            batch_size: env steps to collect in an epoch.
            plot: show the policy after each epoch.
            store_episodes: keep the epoch's episodes in the snapshot.
            pause_for_plot: wait for a key after showing the policy.

        Returns:
            What the algorithm's `train` returns: for ours, the last epoch's average return.

        Raises:
            NotSetupError: if neither `setup` nor `restore` was called.
            RunLockedError: if another process trains in this directory.
        """
        if self._algo is None:
            raise NotSetupError(
                "train: nothing to train; call setup(algo, env) or restore(dir) first"
            )
        args = TrainArgs(n_epochs, batch_size, plot, store_episodes, pause_for_plot)
        if self._config.auto_resume and self._restored is None and self._session.has_snapshots():
            self.restore(self._config.snapshot_dir)
            return self.resume(n_epochs, batch_size, plot, store_episodes, pause_for_plot)
        if self._restored is not None:
            self._session.refuse_in_place(self._restored.path)
            self._stats = replace(self._stats, total_epoch=-1)
        elif self._session.has_begun:  # a further stage of the run: its epochs go on
            start = self._stats.total_epoch + 1
            args = replace(args, n_epochs=start + n_epochs, start_epoch=start)
        self._train_args = args
        return self._run()

    def resume(
        self,
        n_epochs: int | None = None,
        batch_size: int | None = None,
        plot: bool | None = None,
        store_episodes: bool | None = None,
        pause_for_plot: bool | None = None,
        *,
        additional_epochs: int | None = None,
        require_exact: bool = False,
    ) -> Any:
        """Go on training from the restored snapshot.

        Args:
            n_epochs: epochs in total, those before the snapshot included; None: as before.
            batch_size: env steps to collect in an epoch; None: as before.
            plot: show the policy after each epoch; None: as before.
            store_episodes: keep the epoch's episodes in the snapshot; None: as before.
            pause_for_plot: wait for a key after showing the policy; None: as before.
            additional_epochs: epochs after the snapshot, instead of `n_epochs`.
            require_exact: as of `restore`.

        Returns:
            What the algorithm's `train` returns; None if nothing is left to do.

        Raises:
            NotSetupError: if nothing was restored.
            ValueError: if both `n_epochs` and `additional_epochs` are given.
            SnapshotMismatchError: if bits may differ and must not.
        """
        if self._train_args is None or self._restored is None:
            raise NotSetupError("resume: nothing to go on from; call restore(dir) first")
        if require_exact:
            self._session.refuse_inexact(self._inexact, self._restored.path)
        start = self._stats.total_epoch + 1
        if additional_epochs is not None:
            check_count("additional_epochs", additional_epochs, 0)
            if n_epochs is not None:
                raise ValueError(
                    f"resume: give n_epochs (in total, {n_epochs}) or additional_epochs"
                    f" ({additional_epochs}), not both"
                )
            n_epochs = start + additional_epochs
        given = {
            "n_epochs": n_epochs,
            "batch_size": batch_size,
            "plot": plot,
            "store_episodes": store_episodes,
            "pause_for_plot": pause_for_plot,
        }
        changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        self._train_args = replace(self._train_args, start_epoch=start, **changed)
        if self._train_args.n_epochs <= start:
            with heard():
                logger.log(
                    f"Nothing is left to do: the run has {self._train_args.n_epochs} epochs and"
                    f" the last one that was finished is {start - 1}; pass n_epochs or"
                    " additional_epochs to train longer"
                )
            return None
        return self._run()

    def _run(self) -> Any:
        algo, sampler = self._algo, self._sampler
        if algo is None:
            raise NotSetupError("nothing to train; call setup(algo, env) or restore(dir) first")
        own_logs: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        if not self._config.has_directory and not self._config.saves_nothing:
            own_logs = self._make_directory()
        self._session.start_from(self._args_of_training(), self._stats)
        writing = self._session.writing(self._restored)
        with own_logs, heard(), self._interruption.listening(), writing:
            self._session.describe(algo, self._env)
            try:
                return self._train(algo)
            finally:
                end_progress()
                if sampler is not None:
                    sampler.shutdown_worker()

    def _train(self, algo: RLAlgorithm) -> Any:
        """Run the algorithm's loop; keep the last epoch's row and snapshot if it ends early."""
        self._open_epoch = None
        try:
            result = algo.train(self)
        except Exception as error:
            try:
                self._leave_early(error)
            except Exception as second:  # what ended training is what is to be heard of
                logger.log(f"The last epoch could not be saved: {second}")
            raise
        self._leave_early()
        return result

    def _leave_early(self, error: Exception | None = None) -> None:
        """Keep the last epoch that was finished; one that the loop broke off by itself is.

        An epoch that an error ended has changed the objects half: the state before it is only on
        the disk. One in which nothing was done yet has left them as the epoch before did.
        """
        left, self._open_epoch = self._open_epoch, None
        if left is None:
            return
        is_untouched = left.mark == self._mark()
        with logger.prefix(f"epoch #{left.epoch} | "):
            if not is_untouched and error is None:
                self._finish_epoch(left.epoch, time.perf_counter() - left.started, ends=True)
                self._reach_safe_point(left.epoch)
                return
            last = left.epoch - 1
            if last < self._args_of_training().start_epoch:
                return
            tabular.mark_all()  # of the epoch that was not finished
            tabular.clear()
            self._write_row(left.itr)
            if is_untouched and self._session.lacks(last):
                self._session.save(self._graph(), last, self._last_row)
            elif self._session.lacks(last):
                logger.log(
                    f"Epoch #{last} was the last to be finished, but no snapshot was due then: a"
                    f" resume goes on after epoch #{self._session.last_saved}"
                )

    def _mark(self) -> tuple[Any, ...]:
        """Return what an epoch that does anything is all but sure to change."""
        stats = self._stats
        numbers = np.random.get_state(legacy=False)["state"]
        drawn = (int(numbers["pos"]), int(numbers["key"][0])) if "pos" in numbers else ()
        steps = (self.step_itr, stats.total_env_steps, stats.total_episodes)
        return (*steps, bool(tabular.as_primitive_dict), drawn, tracked.state())

    def _make_directory(self) -> RunLogs:
        from garage_like.trainer.automatic_directory import with_directory

        self._config = with_directory(self._config, self._algo, env_name(self._env))
        self._session = RunSession(self._config, type(self))
        logs = RunLogs(self.run_dir, existing=False)
        logger.log(f"Logging to {logs.directory}")
        return logs

    # ---- the loop -------------------------------------------------------------------------------

    def step_epochs(self) -> Iterator[int]:
        """Yield epoch after epoch; log and save when the loop's body is through with one.

        An algorithm that loops itself keeps all its state on objects: what it does before the
        loop runs again on a resume, and a local variable that outlives an epoch would be lost.
        """
        args = self._args_of_training()
        if self._sampler is not None:
            self._sampler.start_worker()
        self.step_itr = self._stats.total_itr
        tracked.set_state(self._stats.tracked)
        if self._rng is not None:
            set_global_rng(self._rng)
        self._reach_safe_point(args.start_epoch - 1, begins=True)
        began = time.perf_counter()
        show_progress(args.start_epoch, args.n_epochs, None)
        for epoch in range(args.start_epoch, args.n_epochs):
            started = time.perf_counter()
            self.step_episode = None
            with logger.prefix(f"epoch #{epoch} | "):
                self._open_epoch = OpenEpoch(epoch, started, self.step_itr, self._mark())
                yield epoch
                self._open_epoch = None
                self._finish_epoch(epoch, time.perf_counter() - started)
            per_epoch = (time.perf_counter() - began) / (epoch + 1 - args.start_epoch)
            show_progress(epoch + 1, args.n_epochs, per_epoch * (args.n_epochs - epoch - 1))
            self._reach_safe_point(epoch)
            if self._interruption.requested:
                self._session.wait()
                self._session.say_how_to_resume(epoch)
                raise SystemExit(self._interruption.exit_code)

    def _env_states(self) -> EnvStates:
        return self._session.env_states

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
        n_epochs = epoch + 1 if ends else args.n_epochs
        failures = self._session.report()
        if failures:
            tabular.record("Snapshot/Failures", failures)
        self._stats.total_epoch = epoch
        self._stats.total_itr = self.step_itr
        self._stats.train_seconds += seconds
        self._stats.last_episode = self.step_episode if args.store_episodes else None
        if self.enable_logging:
            self.log_diagnostics(args.pause_for_plot)
            tabular.record("EpochTime", seconds)
            tabular.record("TotalTime", self._stats.train_seconds)
            self._log_row(is_row_due(self._config, epoch, n_epochs))
        self._stats.tracked = tracked.state()
        if self._config.video_interval and epoch % self._config.video_interval == 0:
            from garage_like.pictures.playing import film_epoch

            film_epoch(self.run_dir, epoch, self._algo, self._env, self._env_states())
        due = self._session.is_due(epoch, n_epochs, self._stats, self._last_row)
        if due or (self._interruption.requested and not self._config.saves_nothing):
            self.save(epoch)

    def _log_row(self, is_due: bool) -> None:
        for tag, value in tracked.take().items() if is_due else ():
            tabular.record(tag, value)
        self._last_row, self._row_is_written = dict(tabular.as_primitive_dict), is_due
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
        interval = self._config.log_interval
        if self._row_is_written or (interval != "auto" and interval <= 0):
            return
        for key, value in self._last_row.items():
            tabular.record(key, value)
        logger.log(tabular)
        logger.dump_all(itr)
        tabular.clear()
        self._row_is_written = True

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
        with heard():
            if self._config.saves_nothing or not self._config.has_directory:
                logger.log(
                    f"save: no snapshot of epoch #{epoch}, since saving is switched off; give"
                    " Trainer a SnapshotConfig with a snapshot_dir and a mode that saves"
                )
                return
            logger.log("Saving snapshot...")
            with self._session.saving(epoch):
                self._session.save(self._graph(), epoch, self._last_row)

    def _graph(self) -> dict[str, Any]:
        return {
            "algo": self._algo,
            "env": self._env,
            "stats": self._stats,
            "train_args": self._train_args,
            "rng": get_global_rng(),
        }

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return Path(self._config.snapshot_dir)
