"""Reading a snapshot that is to become objects: every digest is checked first."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from garage_like.errors import (
    SnapshotCorruptError,
    SnapshotError,
    SnapshotNotFoundError,
    SnapshotRestoreError,
)
from garage_like.logging.notices import warn
from garage_like.snapshot.best_rule import BestRule
from garage_like.snapshot.choosing import FromEpoch, meant_by
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.digests import read_file
from garage_like.snapshot.disk.layout import identity
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.trust import check_trust, why_untrusted

Built = TypeVar("Built")


@dataclass(frozen=True)
class LoadedSnapshot:
    """The verified content of a snapshot, not yet turned into objects.

    Attributes:
        path: its directory.
        manifest: what it says of itself.
        files: content of each file, by path inside the snapshot.
        bad: newer snapshots that were passed over since they do not verify, and why.
        include_buffer: whether replay memory gets its transitions back.
        older: snapshots to fall back to if the objects of this one cannot be built.
        untrusted: how one saw, as it was read, that another user wrote it; None if this one did.
    """

    path: Path
    manifest: Manifest
    files: dict[str, bytearray]
    bad: dict[int, str]
    include_buffer: bool = True
    untrusted: str | None = None
    older: tuple[Path, ...] = ()

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
    unrecorded: BestRule | None = None,
    include_buffer: bool | None = None,
) -> LoadedSnapshot:
    """Read and verify one snapshot.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.
        from_epoch: `'last'` (falls back to the one before if the newest does not verify),
            `'first'`, `'best'`, or an epoch.
        unrecorded: what `'best'` is judged by if the run does not say.
        include_buffer: True insists on replay memory, False leaves it on the disk, so that it
            comes back empty; None takes what was saved.

    Raises:
        SnapshotNotFoundError: if there is none, or not that epoch, or no replay memory in it.
        SnapshotCorruptError: if it does not verify, and for `'last'` none does.
        ValueError: if `from_epoch` is something else.
    """
    while True:
        found = meant_by(path, from_epoch, unrecorded)
        try:
            if len(found) == 1:
                return _read_steadily(found[0], include_buffer)
            return _newest_good(found, include_buffer)
        except _GoneMeanwhileError:
            continue  # a run under way has pruned it, and has a newer one


def build_newest(
    loaded: LoadedSnapshot, build: Callable[[LoadedSnapshot], Built]
) -> tuple[LoadedSnapshot, Built]:
    """Build the objects of a snapshot; where one of them cannot be, those of an older snapshot.

    That is the newest that can be built, if all before one that can be can be built, too: it is
    looked for in ever longer steps, then between the last two.

    Args:
        loaded: what was read.
        build: builds the objects.

    Returns:
        What was built, and of which snapshot.

    Raises:
        SnapshotRestoreError: if no snapshot helps; names the object that fails in the newest.
    """
    try:
        return loaded, build(loaded)
    except SnapshotRestoreError as error:
        found = _newest_that_builds(loaded, build)
        if found is None:
            raise
        warn(f"going back to {found[0].path.name}, since of a newer snapshot {error}", stacklevel=5)
        return found


def _newest_that_builds(
    loaded: LoadedSnapshot, build: Callable[[LoadedSnapshot], Built]
) -> tuple[LoadedSnapshot, Built] | None:
    best: tuple[LoadedSnapshot, Built] | None = None
    bad, good, step = -1, len(loaded.older), 1
    while good - bad > 1:
        middle = min(bad + step, len(loaded.older) - 1) if best is None else (bad + good) // 2
        try:
            found = _read_steadily(loaded.older[middle], None if loaded.include_buffer else False)
            best, good = (found, build(found)), middle
        except (SnapshotError, _GoneMeanwhileError):
            bad, step = middle, 2 * step
    return best


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


def _newest_good(snapshots: list[Path], include_buffer: bool | None) -> LoadedSnapshot:
    """Read the first of some snapshots of one run that verifies, the newest first."""
    bad: dict[int, str] = {}
    for number, snapshot in enumerate(snapshots):
        epoch = layout.epoch_of(snapshot) or 0
        try:
            loaded = _read_steadily(snapshot, include_buffer, bad)
        except SnapshotCorruptError as error:
            bad[epoch] = str(error)
            continue
        for failed, why in bad.items():
            warnings.warn(
                f"snapshot of epoch {failed} is damaged and is passed over, going back to epoch"
                f" {epoch}: {why}",
                stacklevel=4,
            )
        return replace(loaded, older=tuple(snapshots[number + 1 :]))
    listed = "; ".join(f"epoch {epoch}: {why}" for epoch, why in bad.items())
    raise SnapshotCorruptError(f"{snapshots[0].parent}: no snapshot verifies: {listed}")


def run_dir_of(snapshot: Path) -> Path | None:
    """Return the run directory that a snapshot lies in, or None if it stands alone."""
    if snapshot.parent.name == layout.SNAPSHOTS and layout.epoch_of(snapshot) is not None:
        return snapshot.parent.parent
    return None
