"""Shelf: which snapshots a run has, on the disk or on their way there, and which of them go.

What is on the disk is read once and kept in mind; it is read again after a failure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from garage_like.errors import SnapshotError
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.schedule import KEPT_BY, Kept, Progress, is_due, to_remove


class Shelf:
    """Keep in mind what there is of one run; any thread may ask and tell.

    Args:
        config: which snapshots are taken and kept.
        store: the run's snapshots on the disk.
    """

    def __init__(self, config: SnapshotConfig, store: SnapshotStore) -> None:
        self._config, self._store = config, store
        self._lock = threading.Lock()
        self._on_disk: dict[int, Kept] | None = None
        self._on_the_way: dict[int, Kept] = {}

    def look_again(self) -> None:
        """Read again, when it is next asked for, what is on the disk."""
        with self._lock:
            self._on_disk = None

    def announce(self, manifest: Manifest) -> None:
        """Take note of a snapshot that was captured."""
        with self._lock:
            self._on_the_way[manifest.epoch] = self._kept(manifest)

    def withdraw(self, epoch: int) -> None:
        """Forget that a snapshot was on its way: it arrived, failed or gave way."""
        with self._lock:
            self._on_the_way.pop(epoch, None)

    def add(self, manifest: Manifest) -> None:
        """Take note of a snapshot that is on the disk now."""
        with self._lock:
            if self._on_disk is not None:
                self._on_disk[manifest.epoch] = self._kept(manifest)

    def remove(self, epochs: Iterable[int]) -> None:
        """Take note of snapshots that are gone."""
        with self._lock:
            for epoch in epochs:
                self._look().pop(epoch, None)

    def is_due(self, before: Progress, now: Progress, metrics: Mapping[str, Any]) -> bool:
        """Tell whether a snapshot of the epoch just finished must be taken."""
        with self._lock:
            try:
                on_disk = self._look()
            except OSError:  # whatever is saved now may fail, too, and says so
                on_disk = {}
            known = tuple({**on_disk, **self._on_the_way}.values())
        return is_due(self._config, before, now, self._metric(metrics), known)

    def doomed(self) -> Sequence[int]:
        """Return the epochs whose snapshots must not be kept.

        Raises:
            OSError: if the disk cannot be read.
        """
        with self._lock:
            kept = list(self._look().values())
        pinned: Callable[[int], bool] = self._store.is_pinned
        if not to_remove(self._config, kept, pinned):  # if all are good, most go
            return []
        return to_remove(self._config, kept, pinned, self._store.is_good)

    def _look(self) -> dict[int, Kept]:
        """Return what is on the disk; while the lock is held."""
        if self._on_disk is None:
            kept = {}
            for epoch in self._store.epochs():
                try:
                    kept[epoch] = self._kept(self._store.manifest(epoch, KEPT_BY))
                except SnapshotError:
                    continue  # pruning never touches what it cannot read
            self._on_disk = kept
        return self._on_disk

    def _kept(self, manifest: Manifest) -> Kept:
        return Kept(manifest.epoch, self._metric(manifest.metrics), manifest.on_gap)

    def _metric(self, metrics: Mapping[str, Any]) -> float | None:
        return Manifest(epoch=0, metrics=dict(metrics)).metric(self._config.best_metric)
