"""Pins: a snapshot that bears one is never pruned.

A pin is an empty file `pinned` in the snapshot's directory, so that it moves with it and may be set
while the run that owns the directory goes on. No digest covers it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.filesystem import FileSystem


def pin(snapshot: Path, filesystem: FileSystem | None = None) -> bool:
    """Keep a snapshot from being pruned, durably.

    Args:
        snapshot: its directory.
        filesystem: what touches the disk.

    Returns:
        Whether it was not pinned before.

    Raises:
        SnapshotNotFoundError: if there is none, or pruning was faster.
        OSError: if nothing can be written there.
    """
    disk = filesystem or FileSystem()
    _check(snapshot)
    try:
        disk.write_file(snapshot / layout.PINNED, [])
        disk.sync_dir(snapshot)
    except FileExistsError:
        return False
    except FileNotFoundError:
        pass  # pruned a moment ago, as is found below
    _check(snapshot)
    return True


def unpin(snapshot: Path, filesystem: FileSystem | None = None) -> bool:
    """Let a snapshot be pruned again; return whether it was pinned.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot.
        OSError: if nothing can be written there.
    """
    disk = filesystem or FileSystem()
    _check(snapshot)
    if not is_pinned(snapshot):
        return False
    disk.remove_file(snapshot / layout.PINNED)
    disk.sync_dir(snapshot)
    return True


def is_pinned(snapshot: Path) -> bool:
    """Tell whether a snapshot bears a pin."""
    return (snapshot / layout.PINNED).exists()


def pinned_epochs(snapshots_dir: Path) -> set[int]:
    """Return the epochs whose snapshots bear a pin."""
    return set(pinned_of(snapshots_dir, layout.epochs_in(snapshots_dir)))


def pinned_of(snapshots_dir: Path, epochs: Iterable[int]) -> Iterator[int]:
    """Yield those of some epochs whose snapshots bear a pin."""
    for epoch in epochs:
        if os.path.exists(f"{snapshots_dir}/{layout.epoch_name(epoch)}/{layout.PINNED}"):
            yield epoch


def _check(snapshot: Path) -> None:
    if not (snapshot / layout.MANIFEST).is_file():
        raise SnapshotNotFoundError(f"{snapshot}: no snapshot is there to pin or unpin")
