"""RunSession: one stretch of writing to a run directory: its lock, its logs, its snapshots.

Keeps the three in step: a snapshot records where each log ended, and a resume cuts the logs and
moves later snapshots aside so that what is there is one history.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from garage_like.configuration.comparison import ConfigPolicy, Difference
from garage_like.errors import SnapshotError, SnapshotNotFoundError, SnapshotWriteError
from garage_like.logging import RunLogs, active_run_logs, logger
from garage_like.logging.log_files import make_directory
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk import pins
from garage_like.snapshot.disk.layout import epochs_in
from garage_like.snapshot.disk.lock import RunLock
from garage_like.snapshot.loading import LoadedSnapshot, run_dir_of
from garage_like.snapshot.mirror.fetching import fetch_what_is_lost
from garage_like.snapshot.schedule import Progress
from garage_like.snapshot.snapshotter import Snapshotter
from garage_like.trainer.configuration import RunConfiguration
from garage_like.trainer.label import Label
from garage_like.trainer.news import News
from garage_like.trainer.record import env_name, manifest_of
from garage_like.trainer.state import Stats, TrainArgs


class RunSession:
    """Write to the run directory of a configuration.

    Args:
        config: where and when to save.
        trainer_class: what `garage-like resume` is to make of the run.
        label: what is known of the run already; None: nothing is.

    Attributes:
        label: whether what it saves can be resumed exactly, and why not.
        news: what the log says of its snapshots.
        skipped: names that are left out as was asked for.
        has_begun: whether training has written to the directory.
        last_saved: the last epoch of which a snapshot was taken, or that training began after.
    """

    def __init__(
        self,
        config: SnapshotConfig,
        trainer_class: type | None = None,
        label: Label | None = None,
    ) -> None:
        self._trainer_class = trainer_class
        self._config = config
        self._run_dir = Path(config.snapshot_dir)
        self._snapshotter = Snapshotter(config)
        self._configuration = RunConfiguration(self._run_dir)
        self._parent: dict[str, Any] | None = None
        self.label = label or Label(tries_envs=config.check_env)
        self.news = News(config, self._snapshotter, self.label)
        self._before: Progress | None = None
        self._now: Progress | None = None
        self._is_writing = False
        self._check_lock: Callable[[], None] = lambda: None
        self.has_begun = False
        self._num_stages = 0
        self._begun_from: LoadedSnapshot | None = None
        self.skipped: Sequence[str] = ()
        self.last_saved = -1
        self._last_taken: int | None = None

    def moved_to(self, config: SnapshotConfig) -> RunSession:
        """Return a session that writes the run elsewhere; what was found out of it goes along."""
        moved = RunSession(config, self._trainer_class, self.label)
        moved._num_stages, moved.skipped = self._num_stages, self.skipped
        return moved

    # ---- what is there ----------------------------------------------------------------------

    def has_snapshots(self) -> bool:
        """Tell whether the run directory holds a committed snapshot, good or bad."""
        self._sweep()
        if (found := fetch_what_is_lost(self._config)) is not None:
            logger.log(f"Brought from {self._config.mirror}: {found}")
        return bool(epochs_in(self._snapshotter.store.dir))

    def begin_stage(self, last_epoch: int) -> tuple[int, int]:
        """Count a call of `train`, whichever Trainer of this process it is of.

        Args:
            last_epoch: that the Trainer has finished.

        Returns:
            The number of the stage, and the last epoch that was finished before it.
        """
        logs = active_run_logs(self._run_dir)
        if logs is None:
            self._num_stages += 1
            return self._num_stages - 1, last_epoch
        logs.num_stages += 1
        if logs.last_epoch >= 0:  # another Trainer's snapshots are of the same run
            self.has_begun = True
        return logs.num_stages - 1, max(last_epoch, logs.last_epoch)

    def has_begun_from(self, restored: LoadedSnapshot | None) -> bool:
        """Tell whether training has gone on from a snapshot that was restored."""
        return restored is not None and restored is self._begun_from

    def end_stage(self, last_epoch: int) -> None:
        """Remember the last epoch that was finished, for another Trainer of this process."""
        logs = active_run_logs(self._run_dir)
        if logs is not None:
            logs.last_epoch = max(logs.last_epoch, last_epoch)

    def saved_stage(self) -> int | None:
        """Return the stage that the newest snapshot is of; None if there is no snapshot."""
        if not self.has_snapshots():
            return None
        epochs = epochs_in(self._snapshotter.store.dir)
        for epoch in reversed(epochs):
            with contextlib.suppress(SnapshotError):
                stage = self._snapshotter.store.manifest(epoch).train_args.get("stage", 0)
                return stage if isinstance(stage, int) else 0
        return 0

    def _sweep(self) -> None:
        """Finish what a kill interrupted, if the directory is ours to write."""
        if self._snapshotter.store.dir.is_dir():
            with self._locked():
                self._snapshotter.open()
                if not self._config.saves_nothing:
                    self._snapshotter.prune()  # what a kill in the last prune left

    def is_in_place(self, snapshot: Path) -> bool:
        """Tell whether a snapshot lies in this run directory."""
        source = run_dir_of(snapshot)
        return source is not None and self._run_dir.exists() and source.samefile(self._run_dir)

    def refuse_in_place(self, snapshot: Path) -> None:
        """Raise if training from the start would overwrite the run that was restored."""
        if self.is_in_place(snapshot) and not self._config.saves_nothing:
            raise ValueError(
                f"train: {self._run_dir} holds the run that was restored, and training from the"
                " start would overwrite it; call resume() to go on, or give this run a directory"
                " of its own"
            )

    # ---- the stretch of writing -------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, restored: LoadedSnapshot | None) -> Iterator[None]:
        """Hold the run directory; make its logs and snapshots end where training begins."""
        if self._config.saves_nothing and active_run_logs(self._run_dir) is None:
            yield
            return
        make_directory(self._run_dir)
        with self._locked():
            if not self._config.saves_nothing:
                self._snapshotter.open()
            if restored is not None and restored is self._begun_from:
                restored = None  # this session has gone on from there, and further
            self._begun_from = restored or self._begun_from
            if restored is not None and self.is_in_place(restored.path):
                self._continue(restored)
            elif restored is not None or not self.has_begun:
                self._begin(restored)
            elif (logs := active_run_logs(self._run_dir)) is not None:
                logs.append()
            self.news.trials.are_due = restored is None  # or else one has just been restored
            self.has_begun = True
            self._is_writing = True
            try:
                yield
            except KeyboardInterrupt:  # a second Ctrl-C: however slow the disk is
                self.news.trials.close()
                self.news.say(self._snapshotter.give_up())
                raise
            except BaseException:
                self.news.trials.close()
                self.news.say(self._snapshotter.close())
                raise
            finally:
                self._is_writing = False
            self.news.tell(self._snapshotter.close())
            self.news.hear_of_restores(waits=True)
            self.news.look_for(self._last_taken)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = RunLock(self._run_dir)
        lock.acquire()
        self._check_lock = lock.check
        try:
            yield
        finally:
            lock.release()

    def _ready(self, logs: RunLogs | None, offsets: Mapping[str, int]) -> None:
        """Make logs durable before a snapshot is committed, if the run is still this process's."""
        self._check_lock()
        if logs is not None:
            logs.sync(offsets)

    def _continue(self, restored: LoadedSnapshot) -> None:
        """Cut back to a snapshot of this directory."""
        self._parent = restored.manifest.parent
        store = self._snapshotter.store
        if not self._config.saves_nothing:
            self._snapshotter.open(restored.manifest)
        for epoch in restored.bad:
            logger.log(f"Damaged snapshot set aside as {store.set_aside(epoch)}")
        orphans = store.orphan_after(restored.manifest.epoch)
        if orphans is not None:
            logger.log(f"Later snapshots moved to {orphans}")
        if not self._config.saves_nothing:
            self._snapshotter.prune()  # what a kill in the last prune left
        logs = active_run_logs(self._run_dir)
        if logs is not None:
            logs.continue_from(restored.manifest.logs)

    def _begin(self, restored: LoadedSnapshot | None) -> None:
        """Start from nothing, or from a snapshot of another run."""
        if restored is not None:
            source = run_dir_of(restored.path) or restored.path
            self._parent = {"run": str(source.resolve()), "epoch": restored.manifest.epoch}
        orphans = self._snapshotter.store.orphan_after(-1)
        if orphans is not None:
            logger.log(f"Snapshots of an earlier run moved to {orphans}")
        logs = active_run_logs(self._run_dir)
        for name in logs.start_fresh() if logs is not None else ():
            logger.log(f"No snapshot to continue from: log of an earlier start set aside as {name}")

    # ---- what the run is made of ------------------------------------------------------------

    def describe(self, algo: Any, env: Any, callbacks: Any = None) -> None:
        """Write down what is trained, if anything is written; a full disk does not end the run."""
        if self._config.saves_nothing and active_run_logs(self._run_dir) is None:
            return
        try:
            self._configuration.write(algo, env, env_name(env), callbacks)
        except OSError as error:
            logger.log(f"The configuration could not be written, training goes on: {error}")

    def check_configuration(
        self,
        restored: LoadedSnapshot,
        parts: Mapping[str, Any],
        config_policy: ConfigPolicy,
    ) -> list[Difference]:
        """Compare what was set up with what a snapshot was made with; return what to change."""
        in_place = self.is_in_place(restored.path)
        expected = self._configuration.sections(**parts, with_parameters=in_place)
        recorded = restored.manifest.configuration
        return self._configuration.check(restored.path, recorded, expected, config_policy)

    # ---- snapshots --------------------------------------------------------------------------

    def is_due(self, epoch: int, n_epochs: int, stats: Stats, row: Mapping[str, Any]) -> bool:
        """Tell whether the epoch just finished must be saved."""
        now = Progress(epoch, n_epochs, stats.total_env_steps, stats.total_episodes)
        if self._now is None or self._now.epoch != epoch:
            self._before, self._now = self._now or Progress(epoch - 1, n_epochs), now
        if self._config.saves_nothing:
            return False
        return self._snapshotter.is_due(self._before or now, now, row)

    def keep_pace(self, *, are_short: bool) -> None:
        """Say whether epochs are so short that what snapshots take of a processor is noticed."""
        self._snapshotter.pace.by_processor = are_short

    def start_from(self, args: TrainArgs, stats: Stats, graph: Mapping[str, Any]) -> None:
        """Remember how far the run is before the first epoch of this session, and its state."""
        if not self._config.saves_nothing:
            self.label.modules.begin(graph)
        self._before = None
        self._now = Progress(
            args.start_epoch - 1, args.n_epochs, stats.total_env_steps, stats.total_episodes
        )
        self.last_saved = args.start_epoch - 1

    @contextlib.contextmanager
    def saving(self, epoch: int) -> Iterator[None]:
        """Hold the run directory for one snapshot; where no loop runs, wait until it is durable."""
        if self._is_writing:
            yield
            return
        make_directory(self._run_dir)
        with self._locked():
            self._snapshotter.open()
            yield
            self.news.tell(self._snapshotter.close())
        if epoch not in epochs_in(self._snapshotter.store.dir):
            logger.log(
                f"No snapshot of epoch #{epoch} was kept: it failed, or snapshot_mode"
                f" {self._config.snapshot_mode!r} keeps newer ones alone"
            )

    def save(
        self, graph: Callable[[], Mapping[str, Any]], epoch: int, row: Mapping[str, Any]
    ) -> None:
        """Take a snapshot of a graph of objects; it is written while training goes on."""
        self.last_saved = self._last_taken = epoch
        with self._snapshotter.pace.stopped(), self.news.telling_what_is_lost(epoch):
            self._take(graph(), epoch, row)
        self.label.tell_made_again(self._snapshotter.made_again)

    @property
    def may_hold(self) -> bool:
        """Tell whether there is time to keep a state in memory that is not due to be saved."""
        return not (self._config.saves_nothing or self._snapshotter.holding.is_too_soon)

    def hold(
        self, graph: Callable[[], Mapping[str, Any]], epoch: int, row: Mapping[str, Any]
    ) -> None:
        """Keep the state after an epoch in memory: if the next one fails, it is what was finished.

        What cannot be captured now is told of when a snapshot is due.
        """
        if self.may_hold:
            with self._snapshotter.holding.stopped(), contextlib.suppress(Exception):
                self._take(graph(), epoch, row, only_hold=True)

    def save_held(self, epoch: int) -> bool:
        """Save what is held in memory; tell whether the snapshot of an epoch is taken now."""
        held = self._snapshotter.held
        if self.last_saved == epoch or held is None or held.epoch != epoch:
            return self.last_saved == epoch
        self.last_saved = self._last_taken = epoch
        logs = active_run_logs(self._run_dir)
        with self.news.telling_what_is_lost(epoch):
            offsets = _offsets_of(logs, epoch)
            ready = functools.partial(self._ready, logs, offsets)
            self._snapshotter.save_held(replace(held, logs=offsets), ready)
        return True

    def is_as_saved(self, graph: Mapping[str, Any], epoch: int) -> bool:
        """Tell whether objects are as they were after an epoch, as far as that can be compared."""
        if self._config.saves_nothing:
            return False
        self.wait()
        try:
            return self._snapshotter.is_as_taken(epoch, self._whole(graph), self.label.env_states)
        except Exception:  # whatever an object raises: then the epoch counts as one that began
            return False

    def _whole(self, graph: Mapping[str, Any]) -> Mapping[str, Any]:
        beside = self.label.modules.changed(graph)
        return {**graph, "modules": beside} if beside else graph

    def _take(
        self, graph: Mapping[str, Any], epoch: int, row: Mapping[str, Any], only_hold: bool = False
    ) -> None:
        graph = self._whole(graph)
        logs = active_run_logs(self._run_dir)
        now = self._now or Progress(epoch, epoch + 1)
        reasons = self.label.reasons()
        offsets = _offsets_of(logs, epoch)
        manifest = manifest_of(
            graph,
            epoch=epoch,
            row=row,
            on_gap=self._snapshotter.on_gap(self._before or now, now),
            reasons=reasons,
            logs=offsets,
            parent=self._parent,
            configuration=self._configuration.sections(
                graph["algo"], graph["env"], graph.get("callbacks")
            ),
            trainer_class=self._trainer_class,
            skipped=self.skipped,
            changes=self.label.changes,
        )
        self._snapshotter.save(
            graph,
            manifest,
            functools.partial(self._ready, logs, manifest.logs),
            self.label.env_states,
            functools.partial(self.label.labelled, graph=graph),
            only_hold=only_hold,
        )

    def pin(self, epoch: int) -> None:
        """Keep the snapshot of an epoch from being pruned; wait until it is durable."""
        self.wait()
        with contextlib.suppress(SnapshotNotFoundError):  # it failed, as has been told
            pins.pin(self._snapshotter.store.path(epoch))

    def wait(self) -> None:
        """Wait until everything captured is durable or has failed, and say so."""
        self.news.tell(self._snapshotter.wait())


def _offsets_of(logs: RunLogs | None, epoch: int) -> dict[str, int]:
    """Return where logs end.

    Raises:
        SnapshotWriteError: if they cannot be looked at, for the disk or for want of memory.
    """
    try:
        return {} if logs is None else logs.offsets()
    except Exception as error:
        lost = f"epoch {epoch} is not saved, since its logs cannot be looked at: {error}"
        raise SnapshotWriteError(lost) from error
