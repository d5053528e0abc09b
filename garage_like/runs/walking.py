"""Walking a folder once: its runs, what each takes on the disk, and which files tell of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from garage_like.files.run_files import CONFIGURATION, EXPERIMENT, NOTES, VARIANT
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
        bytes: what it takes on the disk, a file with several names counted once.
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


@dataclass
class _Size:
    """Bytes of files; those with several names are kept apart, to be counted once."""

    plain: int = 0
    linked: dict[tuple[int, int], int] = field(default_factory=dict)

    def merge(self, other: _Size) -> None:
        self.plain += other.plain
        if other.linked:
            self.linked.update(other.linked)

    @property
    def total(self) -> int:
        return self.plain + sum(self.linked.values())


def walk_runs(root: Path) -> list[FoundRun]:
    """Return the runs at and below a folder, by name; hidden ones and links are passed over."""
    found: list[FoundRun] = []
    _look(os.fspath(root), found)
    return found


def find_runs(root: Path) -> Iterator[Path]:
    """Yield the run directories at and below a folder; hidden ones and links are passed over."""
    for run in walk_runs(root):
        yield Path(run.path)


def bytes_on_disk(folder: Path) -> int:
    """Return what a directory takes, a file with several names counted once."""
    size = _Size()
    _measure([os.fspath(folder)], size)
    return size.total


def _look(folder: str, found: list[FoundRun], depth: int = 0) -> _Size:
    """Append the runs of a folder, itself first; return what all of it takes."""
    size, place = _Size(), len(found)
    if depth > _DEEPEST:
        _measure([folder], size)
        return size
    files, folders = _contents(folder, size)
    newest: list[int] | None = None
    snapshots = folders.get(SNAPSHOTS)
    if snapshots is not None:
        inside, newest = _look_at_snapshots(snapshots)
        if newest is not None or EXPERIMENT in files:
            del folders[SNAPSHOTS]
            size.merge(inside)
    for name, path in folders.items():
        if name.startswith("."):
            _measure([path], size)
        else:
            size.merge(_look(path, found, depth + 1))
    if newest is not None or EXPERIMENT in files or EXPERIMENT in folders:
        stamp = [newest or [], *(_told(files.get(name)) for name in _TELLING)]
        found.insert(place, FoundRun(folder, size.total, stamp))
    return size


def _look_at_snapshots(folder: str) -> tuple[_Size, list[int] | None]:
    """Return what snapshots take, and which manifest is the newest; None if there is none."""
    size = _Size()
    newest: tuple[int, os.stat_result | None] = (-1, None)
    _, folders = _contents(folder, size)
    for name, path in folders.items():
        inside = _contents(path, size)
        _measure(inside[1].values(), size)
        epoch = parse_epoch(name)
        if epoch is not None and MANIFEST in inside[0]:
            newest = max(newest, (epoch, inside[0][MANIFEST]), key=lambda one: one[0])
    if newest[1] is None:  # or it has another name at this moment, since it is being replaced
        return size, [] if folders and epochs_in(Path(folder)) else None
    return size, [newest[0], *_told(newest[1])]


def _measure(folders: Iterable[str], size: _Size) -> None:
    """Add what folders take, and all below them, to a size."""
    left = list(folders)
    while left:
        left += _contents(left.pop(), size)[1].values()


def _contents(folder: str, size: _Size) -> tuple[dict[str, os.stat_result], dict[str, str]]:
    """Return files and folders by name, in order; what files take is added to a size."""
    files: dict[str, os.stat_result] = {}
    folders: list[tuple[str, str]] = []
    plain = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.name, entry.path))
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # removed by a run that is being trained
                    continue
                files[entry.name] = status
                if status.st_nlink > 1:
                    size.linked[status.st_dev, status.st_ino] = status.st_size
                else:
                    plain += status.st_size
    except OSError:  # not ours to read, gone by now, no folder any more, or too deep for a path
        pass
    size.plain += plain
    folders.sort()
    return files, dict(folders)


def _told(status: os.stat_result | None) -> list[int]:
    if status is None:
        return []
    return [status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino]
