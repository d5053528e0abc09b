"""Finding the snapshot to load: by epoch, the best, or the newest whose digests hold."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.logging.notices import warn
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import read_file
from garage_like.snapshot.disk.finding import resolve
from garage_like.snapshot.disk.layout import identity
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.trust import check_trust, why_untrusted

FromEpoch = int | Literal["first", "last", "best"]


@dataclass(frozen=True)
class LoadedSnapshot:
    """The verified content of a snapshot, not yet turned into objects.

    Attributes:
        path: its directory.
        manifest: what it says of itself.
        files: content of each file, by path inside the snapshot.
        bad: newer snapshots that were passed over since they do not verify, and why.
        include_buffer: whether replay memory gets its transitions back.
        untrusted: how one saw, as it was read, that another user wrote it; None if this one did.
    """

    path: Path
    manifest: Manifest
    files: dict[str, bytearray]
    bad: dict[int, str]
    include_buffer: bool = True
    untrusted: str | None = None

    def graph(self, trust: bool = False) -> dict[str, Any]:
        """Build the objects. This runs code that the snapshot brings along.

        Args:
            trust: whether to do so though another user wrote it.

        Raises:
            SnapshotUntrustedError: if another user wrote it, and it is not to be trusted.
        """
        from garage_like.snapshot.capture import load_graph

        check_trust(self.path, self.manifest, trust, self.untrusted)
        return load_graph(
            self.manifest, self.files, str(self.path), include_buffer=self.include_buffer
        )


def load_snapshot(
    path: str | os.PathLike[str],
    from_epoch: FromEpoch = "last",
    *,
    best_metric: str = "Evaluation/AverageReturn",
    best_mode: str = "max",
    include_buffer: bool | None = None,
) -> LoadedSnapshot:
    """Read and verify one snapshot.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.
        from_epoch: `'last'` (falls back to the one before if the newest does not verify),
            `'first'`, `'best'`, or an epoch.
        best_metric: what `'best'` is judged by.
        best_mode: `'max'` or `'min'`.
        include_buffer: True insists on replay memory, False leaves it on the disk, so that it
            comes back empty; None takes what was saved.

    Raises:
        SnapshotNotFoundError: if there is none, or not that epoch, or no replay memory in it.
        SnapshotCorruptError: if it does not verify, and for `'last'` none does.
        ValueError: if `from_epoch` is something else.
    """
    check_from_epoch(from_epoch)
    while True:
        try:
            return _load(path, from_epoch, best_metric, best_mode, include_buffer)
        except _GoneMeanwhileError:
            continue  # a run under way has pruned it, and has a newer one


def _load(
    path: str | os.PathLike[str],
    from_epoch: FromEpoch,
    best_metric: str,
    best_mode: str,
    include_buffer: bool | None,
) -> LoadedSnapshot:
    store, epochs, alone = resolve(path)
    if alone is not None:
        loaded = _read_steadily(alone, include_buffer)
        _check_epoch(alone, loaded.manifest, from_epoch)
        return loaded
    if from_epoch == "last":
        return _newest_good(store, epochs, include_buffer)
    if from_epoch == "first":
        return _read_steadily(store.path(epochs[0]), include_buffer)
    if from_epoch == "best":
        best = _best(store, epochs, best_metric, best_mode)
        return _read_steadily(store.path(best), include_buffer)
    if from_epoch not in epochs:
        raise SnapshotNotFoundError(
            f"{store.dir}: no snapshot of epoch {from_epoch}; there are {_ranges(epochs)}"
        )
    return _read_steadily(store.path(from_epoch), include_buffer)


def _check_epoch(snapshot: Path, manifest: Manifest, from_epoch: FromEpoch) -> None:
    """Raise if one snapshot was given, and another epoch asked for."""
    if isinstance(from_epoch, int) and manifest.epoch != from_epoch:
        raise SnapshotNotFoundError(
            f"{snapshot}: no snapshot of epoch {from_epoch}; it is one snapshot, of epoch"
            f" {manifest.epoch}"
        )


class _GoneMeanwhileError(Exception):
    """Raise when a snapshot was removed or replaced while it was read."""


def _read_steadily(
    snapshot: Path, include_buffer: bool | None, bad: dict[int, str] | None = None
) -> LoadedSnapshot:
    before = identity(snapshot)
    try:
        return _read(snapshot, include_buffer, bad)
    except SnapshotCorruptError:
        if identity(snapshot) != before or before is None:
            raise _GoneMeanwhileError from None
        raise


def check_from_epoch(from_epoch: Any) -> None:
    """Raise ValueError unless this is an epoch, 'first', 'last' or 'best'."""
    if isinstance(from_epoch, int) and not isinstance(from_epoch, bool) and from_epoch >= 0:
        return
    if from_epoch not in ("first", "last", "best"):
        raise ValueError(
            f"from_epoch must be an epoch, 'first', 'last' or 'best'; got {from_epoch!r}"
        )


def _read(
    snapshot: Path, include_buffer: bool | None, bad: dict[int, str] | None = None
) -> LoadedSnapshot:
    manifest = Manifest.read(snapshot)
    before = why_untrusted(snapshot, manifest)
    if include_buffer and manifest.left_out:
        raise SnapshotNotFoundError(
            f"{snapshot}: replay memory {', '.join(manifest.left_out)} was not saved"
            " (include_buffer=False); leave include_buffer out, or pass False, to go on with an"
            " empty one"
        )
    left_out = () if include_buffer is not False else _files_of_memory(manifest)
    files = {
        name: read_file(snapshot, name, entry)
        for name, entry in manifest.files.items()
        if not name.startswith(left_out)
    }
    untrusted = before or why_untrusted(snapshot, manifest)
    return LoadedSnapshot(
        snapshot, manifest, files, bad or {}, include_buffer is not False, untrusted
    )


def _files_of_memory(manifest: Manifest) -> tuple[str, ...]:
    """Return what the paths begin with of files that hold replay memory."""
    return tuple(
        f"{layout.TABLES}/{entry['folder']}/" for entry in manifest.tables if entry.get("memory")
    )


def _newest_good(
    store: SnapshotStore, epochs: list[int], include_buffer: bool | None
) -> LoadedSnapshot:
    bad: dict[int, str] = {}
    for epoch in reversed(epochs):
        try:
            loaded = _read_steadily(store.path(epoch), include_buffer, bad)
        except SnapshotCorruptError as error:
            bad[epoch] = str(error)
            continue
        for failed, why in bad.items():
            warnings.warn(
                f"snapshot of epoch {failed} is damaged and is passed over, going back to epoch"
                f" {epoch}: {why}",
                stacklevel=5,
            )
        return loaded
    listed = "; ".join(f"epoch {epoch}: {why}" for epoch, why in bad.items())
    raise SnapshotCorruptError(f"{store.dir}: no snapshot verifies: {listed}")


def _best(store: SnapshotStore, epochs: list[int], metric: str, mode: str) -> int:
    judged = []
    for epoch in epochs:
        try:
            value = store.manifest(epoch).metric(metric)
        except SnapshotCorruptError as error:
            if identity(store.path(epoch)) is not None:
                warn(f"snapshot of epoch {epoch} is passed over: {error}", stacklevel=5)
            continue
        if value is not None and not math.isnan(value):
            judged.append((value if mode == "max" else -value, -epoch))
    if not judged:
        raise SnapshotNotFoundError(
            f"{store.dir}: no snapshot has metric {metric!r}, which 'best' is judged by"
        )
    return -max(judged)[1]


def _ranges(epochs: list[int]) -> str:
    if len(epochs) <= 8:
        return ", ".join(map(str, epochs))
    return f"{len(epochs)} of them, from {epochs[0]} to {epochs[-1]}"


def snapshot_path(path: str | os.PathLike[str], which: FromEpoch = "last") -> Path:
    """Find a snapshot's directory without reading more than manifests."""
    check_from_epoch(which)
    store, epochs, alone = resolve(path)
    if alone is not None:
        if isinstance(which, int):
            _check_epoch(alone, Manifest.read(alone), which)
        return alone
    if which == "best":
        return store.path(_best(store, epochs, "Evaluation/AverageReturn", "max"))
    epoch = epochs[-1] if which == "last" else epochs[0] if which == "first" else which
    if epoch not in epochs:
        raise SnapshotNotFoundError(
            f"{store.dir}: no snapshot of epoch {epoch}; there are {_ranges(epochs)}"
        )
    return store.path(epoch)


def run_dir_of(snapshot: Path) -> Path | None:
    """Return the run directory that a snapshot lies in, or None if it stands alone."""
    name = snapshot.name.removeprefix(layout.REPLACED)
    if snapshot.parent.name == layout.SNAPSHOTS and layout.parse_epoch(name) is not None:
        return snapshot.parent.parent
    return None
