"""Walking a folder once: its runs, what each takes on the disk, and which files tell of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from garage_like.files.run_files import CONFIGURATION, EXPERIMENT, NOTES, VARIANT
from garage_like.runs.disk_use import DiskUse
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS, epochs_in, parse_epoch

_TELLING = (EXPERIMENT, VARIANT, CONFIGURATION, NOTES)
_DEEPEST = 100
"""Folders below each other in which runs are looked for; what lies deeper is only measured."""

Stamp = list[list[int]]
"""Which files an overview was read from: epoch, and times, size and number of each; [] if none."""


@dataclass(frozen=True)
class FoundRun:
    """A run directory, as a walk saw it.

    Attributes:
        path: the directory.
        bytes: what it takes on the disk; 0 if that was not asked for.
        stamp: differs if a file that tells of the run does.
    """

    path: str
    bytes: int
    stamp: Stamp

    @property
    def newest_epoch(self) -> int | None:
        """The newest that had a manifest."""
        newest = self.stamp[0]
        return newest[0] if newest else None

    @property
    def has_notes(self) -> bool:
        """Whether there is a file with tags and a note."""
        return bool(self.stamp[-1])


def walk_runs(root: Path, *, sizes: bool = True) -> list[FoundRun]:
    """Return the runs at and below a folder, by name; hidden ones and links are passed over.

    Args:
        root: the folder.
        sizes: measure what each takes, for which every file of it has to be asked about.
    """
    found: list[FoundRun] = []
    _look(os.fspath(root), found, sizes)
    return found


def find_runs(root: Path) -> Iterator[Path]:
    """Yield the run directories at and below a folder; hidden ones and links are passed over."""
    for run in walk_runs(root, sizes=False):
        yield Path(run.path)


def _look(folder: str, found: list[FoundRun], sizes: bool, depth: int = 0) -> DiskUse:
    """Append the runs of a folder, itself first; return what all of it takes."""
    size, place = DiskUse(sizes), len(found)
    if depth > _DEEPEST:
        size.add([folder])
        return size
    files, folders = size.contents(folder)
    newest: list[int] | None = None
    snapshots = folders.get(SNAPSHOTS)
    if snapshots is not None:
        inside = DiskUse(sizes)
        _, each = inside.contents(snapshots)
        newest = _newest_of(snapshots, each)
        if newest is not None or EXPERIMENT in files:
            del folders[SNAPSHOTS]
            inside.add(each.values())
            size.merge(inside)
    for name, path in folders.items():
        if name.startswith("."):
            size.add([path])
        else:
            size.merge(_look(path, found, sizes, depth + 1))
    if newest is not None or EXPERIMENT in files or EXPERIMENT in folders:
        told = (_told(f"{folder}/{name}") if name in files else [] for name in _TELLING)
        found.insert(place, FoundRun(folder, size.total, [newest or [], *told]))
    return size


def _newest_of(snapshots: str, folders: Mapping[str, str]) -> list[int] | None:
    """Return the newest epoch with a manifest, and times of that; None if there is none."""
    epochs = ((parse_epoch(name), path) for name, path in folders.items())
    for epoch, path in sorted(((e, p) for e, p in epochs if e is not None), reverse=True):
        told = _told(f"{path}/{MANIFEST}")
        if told:
            return [epoch, *told]
    # It has another name at this moment, if it is being replaced.
    return [] if folders and epochs_in(Path(snapshots)) else None


def _told(path: str) -> list[int]:
    """Return times, size and number of a file; nothing if it is none, or a folder."""
    try:
        status = os.lstat(path)
    except OSError:
        return []
    if stat.S_ISDIR(status.st_mode):
        return []
    return [status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino]
