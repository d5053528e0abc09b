"""Snapshotter: takes, keeps, lists, verifies and loads the snapshots of a run.

`capture → staging → write → commit`: a capture is taken where `save` is called; what was staged
shares no memory with the run, so a thread writes it while training goes on. One is written at a
time and one waits. Where only the newest is kept, a waiting capture gives way to a newer one and
training never waits for the disk; where each is kept, `save` waits for the one before. Of an epoch
of which none is due, a capture is held in memory: the next epoch may be the one that fails.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garage_like.data.normalizers import arrays_of, set_normalizers
from garage_like.errors import RunLockedError, SnapshotError
from garage_like.logging.notices import warn
from garage_like.snapshot.background import BackgroundWriter
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.config import SnapshotConfig, SnapshotMode
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import FileEntry
from garage_like.snapshot.disk.filesystem import Buffer, FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.disk.verified import problems_unless_pruned
from garage_like.snapshot.job import Job, SaveReport, lost
from garage_like.snapshot.kinds.environments import NOTHING_KNOWN, EnvStates
from garage_like.snapshot.loading import build_newest, load_snapshot
from garage_like.snapshot.pace import Pace
from garage_like.snapshot.reader import list_snapshots
from garage_like.snapshot.schedule import Progress, keeps_only_newest, on_gap
from garage_like.snapshot.shelf import Shelf
from garage_like.snapshot.staging import StagingPool

if TYPE_CHECKING:
    from garage_like.snapshot.graph.known_names import KnownNames
    from garage_like.snapshot.mirror.follower import Follower


HELD_SECONDS = 0.02
"""What captures that are only held may take of training's time beside their share of it."""

_ONLY_LOADS = "this Snapshotter was made without a SnapshotConfig, so it only loads"


class Snapshotter:
    """Take and keep the snapshots of one run.

    Args:
        snapshot_dir: the run directory, or a configuration; None for one that only loads.
        snapshot_mode: what is saved and kept, where there is no configuration.
        snapshot_gap: distance between two snapshots, where there is no configuration.
        config: where, when and how many.
        filesystem: what touches the disk; a test's way in.

    Attributes:
        pace: how long training stands still for snapshots; whoever calls `save` tells it.
        holding: how long it does for captures that are only held.
        made_again: what the last capture holds that is made again after a restore.
    """

    def __init__(
        self,
        snapshot_dir: SnapshotConfig | str | os.PathLike[str] | None = None,
        snapshot_mode: SnapshotMode = "last",
        snapshot_gap: int = 1,
        *,
        config: SnapshotConfig | None = None,
        filesystem: FileSystem | None = None,
    ) -> None:
        if isinstance(snapshot_dir, SnapshotConfig):
            config = snapshot_dir
        elif snapshot_dir is not None:
            config = SnapshotConfig(
                snapshot_dir=snapshot_dir, snapshot_mode=snapshot_mode, snapshot_gap=snapshot_gap
            )
        self._config = config
        self._store = (
            None if config is None else SnapshotStore.of_run(Path(config.snapshot_dir), filesystem)
        )
        self._shelf = None if self._store is None or config is None else Shelf(config, self._store)
        self._lock = threading.Lock()
        self._committed_epochs: list[int] = []
        self._failed = False
        self._pool = StagingPool()
        only_newest = config is not None and keeps_only_newest(config)
        self._writer = BackgroundWriter(self._write, only_newest=only_newest, dropped=self._drop)
        self._gives_way = only_newest and config is not None and config.async_save
        self.pace = Pace(1.0 if config is None else config.max_stall)
        holding = 0.0 if self._gives_way or config is None else config.max_stall
        self.holding = Pace(holding, free_seconds=HELD_SECONDS)
        self._held: Job | None = None
        self._known_names: KnownNames | None = None
        self._num_passed_over = 0
        self._follower = None if config is None else _follower_of(config)
        self._is_open = False
        self.made_again: list[str] = []
        self._classes: dict[int, frozenset[type]] = {}

    @property
    def snapshot_dir(self) -> str:
        """The run directory."""
        return os.fspath(self.config.snapshot_dir)

    @property
    def snapshot_mode(self) -> str:
        """What is saved and kept."""
        return self.config.snapshot_mode

    @property
    def snapshot_gap(self) -> int | str:
        """Distance between two snapshots."""
        return self.config.snapshot_gap

    def save_itr_params(self, itr: int, params: Mapping[str, Any]) -> None:
        """Save objects by name as the snapshot of an iteration, if the mode saves any; wait for it.

        Args:
            itr: the iteration; `load(dir, itr)` finds it.
            params: the objects.
        """
        before, now = Progress(itr - 1, itr + 2), Progress(itr, itr + 2)  # never the final one
        if not self.shelf.is_due(before, now, {}):
            return
        self.save(params, Manifest(epoch=itr))
        for error in self.wait().errors:
            raise error

    @property
    def config(self) -> SnapshotConfig:
        """The configuration it was made with."""
        if self._config is None:
            raise ValueError(_ONLY_LOADS)
        return self._config

    @property
    def store(self) -> SnapshotStore:
        """The run's snapshots on the disk."""
        if self._store is None:
            raise ValueError(_ONLY_LOADS)
        return self._store

    @property
    def shelf(self) -> Shelf:
        """Which snapshots there are."""
        if self._shelf is None:
            raise ValueError(_ONLY_LOADS)
        return self._shelf

    def open(self, previous: Manifest | None = None) -> None:
        """Get ready to write: make the directory, sweep what a kill left in it.

        Args:
            previous: the snapshot of this directory that the run goes on from, if any.
        """
        self._writer.drain()
        self.store.open(previous)
        self.shelf.look_again()
        self._is_open = True
        if self._follower is not None:
            self._follower.begin()

    def is_due(self, before: Progress, now: Progress, metrics: Mapping[str, Any]) -> bool:
        """Tell whether the epoch just finished must be saved."""
        if not self.shelf.is_due(before, now, metrics):
            return False
        is_final = now.epoch + 1 >= now.n_epochs
        if self._gives_way and not is_final and self.pace.is_too_soon:
            self._num_passed_over += 1
            return False
        return True

    def on_gap(self, before: Progress, now: Progress) -> bool:
        """Tell whether the epoch just finished is one of every `snapshot_gap`."""
        return on_gap(self.config, before, now)

    # ---- saving -----------------------------------------------------------------------------

    def save(
        self,
        graph: Mapping[str, Any],
        manifest: Manifest,
        before_commit: Callable[[], None] | None = None,
        env_states: EnvStates = NOTHING_KNOWN,
        label: Callable[[Manifest], Manifest] = lambda manifest: manifest,
        *,
        only_hold: bool = False,
    ) -> Path:
        """Take a snapshot of a graph of objects as it stands; it is written behind.

        `wait` returns when it is durable; without `async_save`, so does this.

        Args:
            graph: top-level objects by name.
            manifest: all that is known of the run; what is captured, and the files, are added.
            before_commit: called by the writer before it commits; makes the logs durable.
            env_states: what is known of the environments, see `snapshot.env_check`.
            label: adds to the manifest what the capture has told of the environments.
            only_hold: whether to write nothing, but keep what is captured in memory, in the place
                of the one before; `save_held` has it written.

        Returns:
            Where the snapshot will be.

        Raises:
            SnapshotSaveError: if the state cannot be captured, or without `async_save` cannot be
                written; earlier ones are intact.
        """
        job = self._capture(graph, manifest, before_commit, env_states, label)
        self._let_go_of_held()
        if only_hold:
            self._held = job
            return self._path_of(job)
        return self._submit(job)

    @property
    def held(self) -> Manifest | None:
        """What is known of the run in the state that is held in memory, if one is."""
        return None if self._held is None else self._held.manifest

    def save_held(self, manifest: Manifest, before_commit: Callable[[], None] | None) -> None:
        """Have what is held written, as `save` does.

        Args:
            manifest: that of `held`, brought up to date.
            before_commit: as in `save`.
        """
        job, self._held = self._held, None
        if job is not None:
            self._submit(replace(job, manifest=manifest, before_commit=before_commit))

    def _let_go_of_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._pool.give_back(held.staging)

    def is_as_taken(
        self, epoch: int, graph: Mapping[str, Any], env_states: EnvStates = NOTHING_KNOWN
    ) -> bool:
        """Tell whether a graph is as it was when a snapshot of an epoch was taken, as far as known.

        Args:
            epoch: of the snapshot that is held in memory, or was the last to be written.
            graph: top-level objects by name.
            env_states: as in `save`.
        """
        held, written = self._held, self.store.verified
        before: Mapping[str, FileEntry]
        if held is not None and held.manifest.epoch == epoch:
            before = held.captured.entries
        elif written is not None and written.epoch == epoch:
            before = written.files
        else:
            return False
        job = self._capture(graph, Manifest(epoch=epoch), None, env_states)
        try:
            return job.captured.entries == before
        finally:
            self._pool.give_back(job.staging)

    def _capture(
        self,
        graph: Mapping[str, Any],
        manifest: Manifest,
        before_commit: Callable[[], None] | None,
        env_states: EnvStates,
        label: Callable[[Manifest], Manifest] = lambda manifest: manifest,
    ) -> Job:
        from garage_like.snapshot.capture import capture
        from garage_like.snapshot.graph.known_names import KnownNames

        if not self._is_open:
            self.open()
        self._known_names = self._known_names or KnownNames()
        staging = self._pool.take()
        previous = None if self._failed else self.store.verified
        try:
            captured = capture(
                graph,
                staging,
                previous,
                include_buffer=self.config.include_buffer,
                known_names=self._known_names,
                env_states=env_states,
            )
        except Exception as error:
            self._known_names = None  # half of it, perhaps
            if not isinstance(error, MemoryError):
                raise
            raise lost(manifest.epoch, error) from error  # and the staging, which may be large
        return Job(label(manifest), captured, staging, before_commit)

    def _submit(self, job: Job) -> Path:
        self.made_again = job.captured.made_again
        self._classes[job.manifest.epoch] = job.captured.classes
        self.shelf.announce(job.manifest)
        if self.config.async_save:
            self._writer.submit(job)
        else:
            self._write(job)
        return self._path_of(job)

    def _path_of(self, job: Job) -> Path:
        return self.store.dir / layout.epoch_name(job.manifest.epoch)

    @property
    def num_replaced(self) -> int:
        """Epochs that were due, and gave way to later ones before they were written."""
        return self._num_passed_over + self._writer.num_replaced

    def wait(self) -> SaveReport:
        """Wait until everything captured has been written or has failed; say what became of it."""
        self._writer.drain()
        return self.report()

    def give_up(self) -> SaveReport:
        """Wait for nothing; say what became of captures so far."""
        self._writer.give_up()
        return self.report()

    def close(self) -> SaveReport:
        """Wait, and stop writing; `save` starts over."""
        self._writer.close()
        if self._follower is not None:
            self._follower.finish()
        return self.report()

    def take_classes(self, epoch: int) -> frozenset[type]:
        """Return the classes of the objects in a capture, and forget them and those before."""
        taken = self._classes.get(epoch, frozenset())
        self._classes = {other: held for other, held in self._classes.items() if other > epoch}
        return taken

    def report(self) -> SaveReport:
        """Say what became of captures since this was last called; does not wait."""
        with self._lock:
            committed, self._committed_epochs = self._committed_epochs, []
        return SaveReport(committed, self._writer.take_errors(), self.store.take_damaged())

    def _write(self, job: Job) -> None:
        """Write and commit a capture, and prune: in the writer's thread."""
        with self.pace.writing():
            self._commit(job)
            self.prune()

    def _commit(self, job: Job) -> None:
        captured, epoch = job.captured, job.manifest.epoch
        try:
            groups: dict[str, Sequence[Buffer]] = {
                name: group.pieces() for name, group in captured.groups.items()
            }
            files = {**captured.files, **groups}
            if job.before_commit is not None:
                job.before_commit()
            complete = job.complete(self.num_replaced, self.config.best_rule)
            self.store.commit(complete, files, captured.unchanged)
        except BaseException as error:
            self._failed = True  # perhaps a file to link to has gone: write all next time
            self.shelf.look_again()
            known = (SnapshotError, RunLockedError)
            if isinstance(error, Exception) and not isinstance(error, known):
                raise lost(epoch, error) from error  # want of memory, perhaps
            raise
        finally:
            self._drop(job)
        self._failed = False
        if self._follower is not None:
            self._follower.wake()
        with self._lock:
            self._committed_epochs.append(epoch)
        self.shelf.add(job.manifest)

    def _drop(self, job: Job) -> None:
        """Take back the memory of a capture that was written, failed or gave way."""
        self._pool.give_back(job.staging)
        self.shelf.withdraw(job.manifest.epoch)

    def prune(self) -> Sequence[int]:
        """Remove what the configuration says must not be kept; return the epochs."""
        try:
            removed = self.store.remove(self.shelf.doomed())
        except Exception as error:  # of the disk, or whatever want of memory comes out as
            warn(f"old snapshots could not be removed: {error}", stacklevel=3)
            self.shelf.look_again()
            return []
        self.shelf.remove(removed)
        return removed

    # ---- what there is ----------------------------------------------------------------------

    def list(self) -> Sequence[Path]:
        """Return the directories of all snapshots, the oldest first."""
        return [self.store.path(epoch) for epoch in self.store.epochs()]

    def load(
        self,
        load_dir: str | os.PathLike[str],
        itr: FromEpoch = "last",
        *,
        include_buffer: bool | None = None,
        trust: bool = False,
    ) -> dict[str, Any]:
        """Build the objects of a snapshot. This runs code that the snapshot brings along.

        Args:
            load_dir: a run directory, its `snapshots/`, or one snapshot.
            itr: `'last'`, `'first'`, `'best'` or an epoch.
            include_buffer: as in `load_snapshot`.
            trust: whether to do so though another user wrote it, see `trust`.

        Returns:
            The graph that was saved: `algo`, `env`, `stats` and so on, by name. Where several
            environments were trained in, `env` normalises with the statistics of all.
        """
        rule = None if self._config is None else self._config.best_rule
        loaded = load_snapshot(load_dir, itr, unrecorded=rule, include_buffer=include_buffer)
        loaded, graph = build_newest(loaded, lambda found: found.graph(trust))
        set_normalizers(graph.get("env"), arrays_of(loaded.manifest.normalizers))
        return graph

    @staticmethod
    def verify(load_dir: str | os.PathLike[str]) -> dict[Path, Sequence[str]]:
        """Check every digest of every snapshot; return what is wrong, by snapshot."""
        found = {path: problems_unless_pruned(path) for path in list_snapshots(load_dir)}
        return {path: problems for path, problems in found.items() if problems is not None}


def _follower_of(config: SnapshotConfig) -> Follower | None:
    if config.mirror is None:
        return None
    from garage_like.snapshot.mirror.follower import Follower

    return Follower(config.mirror, config.run_dir)
