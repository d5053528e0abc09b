"""Snapshotter: takes, keeps, lists, verifies and loads the snapshots of a run.

`capture → staging → write → commit`: `save` runs them one after the other. What was staged no
longer shares memory with the run, so writing may be moved behind training without other changes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotError
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.filesystem import FileSystem
from garage_like.snapshot.loading import FromEpoch, load_snapshot
from garage_like.snapshot.manifest import Manifest
from garage_like.snapshot.reader import list_snapshots
from garage_like.snapshot.schedule import Kept, Progress, is_due, on_gap, to_remove
from garage_like.snapshot.staging import Staging
from garage_like.snapshot.store import SnapshotStore, problems_of


class Snapshotter:
    """Take and keep the snapshots of one run.

    Args:
        config: where, when and how many; None for one that only loads.
        filesystem: what touches the disk; a test's way in.
    """

    def __init__(
        self, config: SnapshotConfig | None = None, *, filesystem: FileSystem | None = None
    ) -> None:
        self._config = config
        self._store = (
            None if config is None else SnapshotStore.of_run(Path(config.snapshot_dir), filesystem)
        )
        self._kept: Sequence[Kept] | None = None
        self._staging = Staging()
        self._is_open = False

    @property
    def config(self) -> SnapshotConfig:
        """The configuration it was made with."""
        if self._config is None:
            raise ValueError("this Snapshotter was made without a SnapshotConfig, so it only loads")
        return self._config

    @property
    def store(self) -> SnapshotStore:
        """The run's snapshots on the disk."""
        if self._store is None:
            raise ValueError("this Snapshotter was made without a SnapshotConfig, so it only loads")
        return self._store

    def open(self) -> None:
        """Get ready to write: make the directory, sweep what a kill left in it."""
        self.store.open()
        self._kept = None
        self._is_open = True

    def is_due(self, before: Progress, now: Progress, metrics: Mapping[str, Any]) -> bool:
        """Tell whether the epoch just finished must be saved."""
        return is_due(self.config, before, now, self._metric(metrics), self._on_disk())

    def on_gap(self, before: Progress, now: Progress) -> bool:
        """Tell whether the epoch just finished is one of every `snapshot_gap`."""
        return on_gap(self.config, before, now)

    def save(self, graph: Mapping[str, Any], manifest: Manifest) -> Path:
        """Take a snapshot of a graph of objects, and prune.

        Args:
            graph: top-level objects by name.
            manifest: all that is known of the run; arrays and files are filled in.

        Returns:
            The snapshot's directory, durable.

        Raises:
            SnapshotSaveError: if the state cannot be captured or written; earlier ones are intact.
        """
        from garage_like.snapshot.capture import capture

        if not self._is_open:
            self.open()
        self._staging.clear()
        staged = capture(graph, self._staging)
        manifest.arrays = staged.arrays
        path = self.store.commit(manifest, staged.files)
        kept = [k for k in self._on_disk() if k.epoch != manifest.epoch]
        self._kept = [*kept, self._kept_of(manifest)]
        self.prune()
        return path

    def prune(self) -> Sequence[int]:
        """Remove what the configuration says must not be kept; return the epochs."""
        doomed = to_remove(self.config, self._on_disk())
        try:
            self.store.remove(doomed)
        except OSError as error:
            warnings.warn(f"old snapshots could not be removed: {error}", stacklevel=3)
            self._kept = None
            return []
        self._kept = [k for k in self._on_disk() if k.epoch not in doomed]
        return doomed

    def list(self) -> Sequence[Path]:
        """Return the directories of all snapshots, the oldest first."""
        return [self.store.path(epoch) for epoch in self.store.epochs()]

    def load(self, load_dir: str | os.PathLike[str], itr: FromEpoch = "last") -> dict[str, Any]:
        """Build the objects of a snapshot. This runs code that the snapshot brings along.

        Args:
            load_dir: a run directory, its `snapshots/`, or one snapshot.
            itr: `'last'`, `'first'`, `'best'` or an epoch.

        Returns:
            The graph that was saved: `algo`, `env`, `stats` and so on, by name.
        """
        return load_snapshot(load_dir, itr).graph()

    @staticmethod
    def verify(load_dir: str | os.PathLike[str]) -> dict[Path, Sequence[str]]:
        """Check every digest of every snapshot; return what is wrong, by snapshot."""
        return {path: problems_of(path) for path in list_snapshots(load_dir)}

    def _on_disk(self) -> Sequence[Kept]:
        if self._kept is None:
            found = []
            for epoch in self.store.epochs():
                try:
                    found.append(self._kept_of(self.store.manifest(epoch)))
                except SnapshotError:
                    continue  # pruning never touches what it cannot read
            self._kept = found
        return self._kept

    def _kept_of(self, manifest: Manifest) -> Kept:
        return Kept(manifest.epoch, self._metric(manifest.metrics), manifest.on_gap)

    def _metric(self, metrics: Mapping[str, Any]) -> float | None:
        return Manifest(epoch=0, metrics=dict(metrics)).metric(self.config.best_metric)
