"""Clearing up what a kill left in the middle of a save, or of pruning."""

from __future__ import annotations

from pathlib import Path

from garage_like.snapshot.disk import layout, pins
from garage_like.snapshot.disk.filesystem import FileSystem


def sweep(filesystem: FileSystem, snapshots_dir: Path) -> None:
    """Remove what was not finished; finish or undo what was half-way.

    Raises:
        OSError: if something cannot be removed or renamed.
    """
    for entry in sorted(snapshots_dir.iterdir()):
        if entry.name.startswith(layout.REMOVING) and pins.is_pinned(entry):
            name = entry.name.removeprefix(layout.REMOVING).rpartition("-")[0]
            _put_back(filesystem, entry, snapshots_dir / name)
        elif entry.name.startswith(layout.SAVING):
            filesystem.remove_tree(entry)
        elif entry.name.startswith(layout.REPLACED):
            name = entry.name.removeprefix(layout.REPLACED)
            _put_back(filesystem, entry, snapshots_dir / name)


def _put_back(filesystem: FileSystem, hidden: Path, path: Path) -> None:
    """Give a snapshot its name back, unless another bears it by now."""
    if path.exists():
        filesystem.remove_tree(hidden)
    else:
        filesystem.rename(hidden, path)  # not synced: were it lost, it would be done again
