"""Where a new snapshot finds files that it need not write: in earlier ones, but not in the newest.

A hard link is a second name of the same bytes, so a bit that rots hits every snapshot that links to
them. Two snapshots in a row therefore share no file: each links to the one before the last, and
what has not changed lies on the disk twice, once for every other snapshot. A file that changed is
written for the snapshot at hand and copied once more for the next, so a save writes at most what
changed since the last two. Pruning keeps the two newest; no single damaged file is in both.

What is linked to for a long time is read back, a little with each save, before it is linked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.disk.digests import FileEntry, check_file, checked_pieces
from garage_like.snapshot.disk.manifest import Manifest

READ_BACK_BYTES = 8 << 20
"""How much of what is linked to is read back with each save."""


@dataclass(frozen=True)
class Earlier:
    """A snapshot that is on the disk.

    Attributes:
        path: its directory.
        manifest: what it says of itself.
        verified: whether this process wrote it, or has read and checked it.
    """

    path: Path
    manifest: Manifest
    verified: bool

    def holds(self, name: str, entry: FileEntry) -> bool:
        """Tell whether it says that it has a file with these bytes."""
        return self.manifest.files.get(name) == entry


class Sources:
    """Find files that have the bytes of a new snapshot's.

    Args:
        neighbour: the newest other snapshot: nothing is shared with it.
        others: those before it, the newest first.
        read_back_from: the last file that was read back.

    Attributes:
        damaged: what was found of files that are not as they were written, a sentence each.
    """

    def __init__(
        self, neighbour: Earlier | None, others: Sequence[Earlier], read_back_from: str = ""
    ) -> None:
        self._neighbour = neighbour
        self._others = others
        self._read_to = read_back_from
        self._bytes_left = READ_BACK_BYTES
        self.damaged: list[str] = []

    @property
    def read_to(self) -> str:
        """The last file that was read back; '' to begin with the first again."""
        return self._read_to if self._bytes_left <= 0 else ""

    def to_link(self, name: str, entry: FileEntry) -> Path | None:
        """Find a file to link to.

        What was not verified is not believed but read: a link to a file that has rotted would be a
        new snapshot that is damaged from the start.

        Args:
            name: of the file; called in their order.
            entry: its size and digest.
        """
        for earlier in self._others:
            path = earlier.path / name
            if not earlier.holds(name, entry) or self._is_the_neighbours(path, name):
                continue
            if earlier.verified and not self._is_read_back(name, entry):
                return path
            try:
                check_file(earlier.path, name, entry)
            except SnapshotCorruptError as error:
                self.damaged.append(str(error))
                continue
            return path
        return None

    def _is_the_neighbours(self, path: Path, name: str) -> bool:
        if self._neighbour is None:
            return False
        try:
            return path.samefile(self._neighbour.path / name)
        except OSError:
            return False

    def _is_read_back(self, name: str, entry: FileEntry) -> bool:
        if self._bytes_left <= 0 or name <= self._read_to:
            return False
        self._bytes_left -= entry.bytes
        self._read_to = name
        return True

    def to_copy(self, name: str, entry: FileEntry) -> Iterator[bytes]:
        """Return the pieces of a file to copy; they are checked on the way.

        Raises:
            FileNotFoundError: if no snapshot says that it has the file.
            SnapshotCorruptError: after the last piece, if they are not what they were.
        """
        for earlier in (self._neighbour, *self._others):
            if earlier is not None and earlier.holds(name, entry):
                return checked_pieces(earlier.path, name, entry)
        raise FileNotFoundError(f"{name} has not changed, and no earlier snapshot has it")
