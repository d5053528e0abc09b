"""Loop: epoch after epoch, with rows, safe points, signals and snapshots.

Words:
    epoch       collect, update, log, snapshot: what the loop below does once
    itr         garage's counter of train calls; an algorithm may count several in an epoch
    env step    one `env.step`
    safe point  the moment between two epochs at which a snapshot is taken
    restore     load a snapshot into objects;  resume  restore, then go on training

`Trainer` drives an algorithm through it, `epochs` the body of anyone's loop. What is on the disk is
the session's: see `session.py`.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.callbacks.callback import EndedEpoch
from garage_like.configuration.comparison import ConfigPolicy, Difference
from garage_like.errors import NotSetupError
from garage_like.files.run_files import CACHE
from garage_like.logging import (
    RunLogs,
    active_run_logs,
    end_progress,
    heard,
    logger,
    show_progress,
    tabular,
    tracked,
)
from garage_like.logging.held_output import HeldOutput
from garage_like.logging.log_files import make_directory
from garage_like.logging.logger_state import clear_row
from garage_like.logging.steps import log_step
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.graph.places import find_places, named_code
from garage_like.snapshot.kinds.environments import EnvStates
from garage_like.snapshot.loading import LoadedSnapshot, build_newest
from garage_like.snapshot.rng import get_global_rng, set_global_rng
from garage_like.snapshot.schedule import is_row_due
from garage_like.trainer.handle import Training
from garage_like.trainer.interruption import Interruption
from garage_like.trainer.record import env_name
from garage_like.trainer.safe_points import SafePoint, is_watched, reach, stops_after
from garage_like.trainer.session import RunSession
from garage_like.trainer.settings import Settings, warn_of_settings
from garage_like.trainer.state import OpenEpoch, check_count, restored_lines


class Loop(Training):
    """Go through epochs; log, save and restore between them.

    Attributes:
        ends_here: whether training ends with the epoch under way, though more were asked for.

    Args:
        config: where and when to save.
    """

    _x_axis: str | None = "TotalEnvSteps"

    def __init__(self, config: SnapshotConfig) -> None:
        super().__init__()
        self._config = config
        self._session = RunSession(config, type(self))
        self._interruption = Interruption()
        self._restored: LoadedSnapshot | None = None
        self._inexact: list[str] = []
        self._settings: Settings | None = None
        self._rng: dict[str, Any] | None = None
        self._last_row: dict[str, Any] = {}
        self._open_epoch: OpenEpoch | None = None
        self._told = HeldOutput(0, lambda: None)
        self.ends_here = False

    # ---- restore ----------------------------------------------------------------------------

    def _restore(
        self,
        loaded: LoadedSnapshot,
        *,
        require_exact: bool,
        trust: bool,
        otherwise: Sequence[Difference] = (),
        config_policy: ConfigPolicy = "update",
    ) -> None:
        """Build the objects of a snapshot, in the live ones where there are such.

        Args:
            loaded: the snapshot.
            require_exact: refuse where bits may differ.
            trust: build them though another user wrote them.
            otherwise: what they are to go on with otherwise than they were made with.
            config_policy: with `'warn'`, as far as that can be changed.
        """
        label = self._session.label
        if require_exact:  # before anything is built, as far as can be told
            label.refuse(label.why_inexact(loaded), loaded.path)
        build = functools.partial(self._build, trust=trust)
        with self._interruption.listening(), label.modules.unless_it_fails():
            loaded, graph = build_newest(loaded, build)
            self._inexact = label.why_inexact(loaded)
            settings = Settings(graph["algo"], graph["env"], graph.get("callbacks"))
            warns = config_policy == "warn"
            changed, left = settings.update(otherwise, self._env_states() if warns else None)
            as_given = self._algo is not None
            missing = self._callbacks.restore(graph.get("callbacks"), as_given=as_given)
            self._inexact += missing
            if require_exact:
                label.refuse(self._inexact, loaded.path)
            beside = label.modules.put_back(graph.get("modules", {}))
        self._settings = settings
        self._restored = replace(loaded, files={})  # objects have copies of what they need
        self._algo, self._env = graph["algo"], graph["env"]
        self._stats = graph["stats"]
        self._last_row = dict(loaded.manifest.metrics)
        start = self._stats.total_epoch + 1
        self._train_args = replace(graph["train_args"], start_epoch=start)
        self._rng = graph["rng"]
        set_global_rng(self._rng)
        self.step_itr = self._stats.total_itr
        label.not_restored += missing
        with self._heard():
            logger.log(f"Restore from snapshot saved in {loaded.path}")
            for line in restored_lines(self._train_args, self._stats):
                logger.log(line)
            if beside:
                logger.log(f"Restored beside the objects: {', '.join(sorted(beside))}")
            label.changes = list(loaded.manifest.changes)
            self._inexact += label.go_on_otherwise(changed, start)
            if left:
                listed = "; ".join(map(str, left))
                logger.log(f"What cannot be changed is as the snapshot has it: {listed}")
            label.explain(self._inexact)
        if warns and otherwise:
            warn_of_settings(loaded.path, changed, left, stacklevel=3)

    def _build(self, loaded: LoadedSnapshot, trust: bool) -> dict[str, Any]:
        with restoring_into(components_of(self._live_objects())):
            return loaded.graph(trust)

    def _note_changes_by_hand(self) -> None:
        """Take note of what was changed on restored objects before they go on."""
        if self._settings is not None:
            start = self._args_of_training().start_epoch
            changed, self._settings = self._settings.changed_by_hand(), None
            self._session.label.go_on_otherwise(changed, start)

    def _live_objects(self) -> dict[str, Any]:
        if self._algo is None:
            return {}
        return {"algo": self._algo, "env": self._env, "callbacks": self._callbacks.kept}

    # ---- the stretch of training ------------------------------------------------------------

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        """Hold the run directory, its logs, and the signals, while the block trains."""
        sampler = self._sampler
        own_logs = self._own_logs()
        self._session.start_from(self._args_of_training(), self._stats, self._graph())
        writing = self._session.writing(self._restored)
        with own_logs, heard(), self._interruption.listening(), writing:
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

    def _own_logs(self) -> contextlib.AbstractContextManager[Any]:
        """Open the logs of the run directory, if no experiment has opened any."""
        if self._config.saves_nothing or active_run_logs() is not None:
            if not self._config.has_directory and not self._config.saves_nothing:
                self._make_directory()
            return contextlib.nullcontext()
        is_new = not self._config.has_directory
        if is_new:
            self._make_directory()
        make_directory(self.run_dir)
        logs = RunLogs(self.run_dir, x_axis=self._x_axis, existing=not is_new)
        logs.add_lines(self._told)
        logger.log(f"Logging to {logs.directory}")
        return logs

    def _heard(self) -> contextlib.AbstractContextManager[None]:
        """Let be heard what is told now; logs that are opened later begin with it."""
        return heard(self._told)

    def _logs_between_trainings(self) -> contextlib.AbstractContextManager[Any]:
        """Open the logs where no loop runs, so that a snapshot knows where they end."""
        if active_run_logs() is not None:
            return contextlib.nullcontext()
        self.run_dir.mkdir(parents=True, exist_ok=True)
        logs = RunLogs(self.run_dir, x_axis=self._x_axis, existing=True, console=False)
        logs.append()
        return logs

    def _make_directory(self) -> None:
        from garage_like.trainer.automatic_directory import with_directory

        self._config = with_directory(self._config, self._algo, env_name(self._env))
        self._session = self._session.moved_to(self._config)

    # ---- the loop -------------------------------------------------------------------------------

    def step_epochs(self) -> Iterator[int]:
        """Yield epoch after epoch; log and save when the loop's body is through with one.

        An algorithm that loops itself keeps all its state on objects: what it does before the
        loop runs again on a resume, and a local variable that outlives an epoch would be lost.
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

    def _env_states(self) -> EnvStates:
        return self._session.label.env_states

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
        stopped_by = self._callbacks.call(ended)
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

    def _graph(self) -> dict[str, Any]:
        kept = self._callbacks.kept
        return {
            "algo": self._algo,
            "env": self._env,
            **({} if kept is None else {"callbacks": kept}),
            "stats": self._stats,
            "train_args": self._train_args,
            "rng": get_global_rng(),
        }

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return Path(self._config.snapshot_dir)

    @property
    def cache_dir(self) -> Path | None:
        """Where to keep what can be made again: what was compiled, say; None if nothing is kept."""
        return None if self._config.saves_nothing else self.run_dir / CACHE

    def own_values(self) -> dict[str, Any]:
        """Return what globals, classes and functions of the user's own modules hold, by a name.

        Of functions and classes themselves, what tells which they are.
        """
        held = {name: place.value for name, place in find_places().items()}
        return dict(sorted({**named_code(), **held}.items()))
