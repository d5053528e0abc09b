"""What folders take on the disk: a file with several names counts once, and is asked about once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class DiskUse:
    """Add up what files take.

    Args:
        measures: ask about files; else folders are only listed, and take nothing.
    """

    def __init__(self, measures: bool = True) -> None:
        self._measures = measures
        self._plain = 0
        self._linked: dict[tuple[int, int], tuple[int, int]] = {}
        self._names: dict[tuple[int, int], int] = {}

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return self._plain + sum(size for size, _ in self._linked.values())

    @property
    def freed(self) -> int:
        """Bytes that are free once all of this is gone: of files that have no name elsewhere."""
        return self._plain + sum(
            size for key, (size, links) in self._linked.items() if self._names[key] >= links
        )

    def add(self, folders: Iterable[str]) -> None:
        """Add folders, and all below them; links are not followed."""
        left = list(folders) if self._measures else []
        while left:
            left += self.contents(left.pop())[1].values()

    def contents(self, folder: str) -> tuple[set[str], dict[str, str]]:
        """Add the files of a folder; return their names, and its folders by name, in order."""
        files, folders = set(), []
        device = None
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((entry.name, entry.path))
                        continue
                    if not self._measures:
                        files.add(entry.name)
                        continue
                    if device is not None:  # where one file lies, the others do
                        key = (device, entry.inode())
                        if key in self._linked:
                            self._names[key] += 1
                            files.add(entry.name)
                            continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # removed by a run that is being trained
                        continue
                    files.add(entry.name)
                    if status.st_nlink == 1:
                        self._plain += status.st_size
                        continue
                    device = status.st_dev
                    key = (device, status.st_ino)
                    self._linked[key] = status.st_size, status.st_nlink
                    self._names[key] = self._names.get(key, 0) + 1
        except OSError:  # not ours to read, gone by now, no folder any more, or too deep for a path
            pass
        folders.sort()
        return files, dict(folders)

    def merge(self, other: DiskUse) -> None:
        """Add what was added elsewhere."""
        self._plain += other._plain
        self._linked.update(other._linked)
        for key, names in other._names.items():
            self._names[key] = self._names.get(key, 0) + names


def bytes_on_disk(folder: Path) -> int:
    """Return what a directory takes."""
    use = DiskUse()
    use.add([os.fspath(folder)])
    return use.total
