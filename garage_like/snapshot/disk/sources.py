"""Where a new snapshot finds files that it need not write: in earlier ones, but not in the newest.

A hard link is a second name of the same bytes, so a bit that rots hits every snapshot that links to
them. Two snapshots in a row therefore share no file: each links to the one before the last, and
what has not changed lies on the disk twice, once for every other snapshot. A file that changed is
written for the snapshot at hand and copied once more for the next, so a save writes at most what
changed since the last two. Pruning keeps the two newest; no single damaged file is in both.

What is linked to for a long time is read back, a little with each save, before it is linked again;
once all of it has been read, it is left in peace for a while.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.disk.digests import FileEntry, check_file, checked_pieces
from garage_like.snapshot.disk.manifest import Manifest

READ_BACK_BYTES = 8 << 20
"""How much of what is linked to is read back with each save."""

READ_BACK_SECONDS = 30.0
"""How long to rest once all of it has been read back."""


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


class ReadBack:
    """Go round the files that are linked to, some bytes further with each save, and rest.

    Args:
        clock: seconds; a test's way in.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_name = ""
        self._bytes_left = 0
        self._rests_until = -float("inf")

    def begin(self) -> None:
        """Go on where the save before stopped, or with the first file if it came to the end."""
        if self._bytes_left > 0:
            self._last_name = ""
            self._rests_until = self._clock() + READ_BACK_SECONDS
        self._bytes_left = READ_BACK_BYTES if self._clock() >= self._rests_until else 0

    def takes(self, name: str, nbytes: int) -> bool:
        """Tell whether a file is to be read back now; called in the order of their names."""
        if self._bytes_left <= 0 or name <= self._last_name:
            return False
        self._bytes_left -= nbytes
        self._last_name = name
        return True


class Sources:
    """Find files that have the bytes of a new snapshot's.

    Args:
        neighbour: the newest other snapshot: nothing is shared with it.
        others: those before it, the newest first.
        read_back: which files to read back; None for none.

    Attributes:
        damaged: what was found of files that are not as they were written, a sentence each.
    """

    def __init__(
        self,
        neighbour: Earlier | None,
        others: Sequence[Earlier],
        read_back: ReadBack | None = None,
    ) -> None:
        self._neighbour = neighbour
        self._others = others
        self._read_back = read_back
        self.damaged: list[str] = []
        if read_back is not None:
            read_back.begin()

    def to_link(self, name: str, entry: FileEntry) -> str | None:
        """Find a file to link to.

        What was not verified is not believed but read: a link to a file that has rotted would be a
        new snapshot that is damaged from the start.

        Args:
            name: of the file; called in their order.
            entry: its size and digest.
        """
        for earlier in self._others:
            if not earlier.holds(name, entry):
                continue
            path = f"{earlier.path}/{name}"  # a thousand of them: strings are quicker than paths
            if self._is_the_neighbours(path, name):
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

    def _is_the_neighbours(self, path: str, name: str) -> bool:
        if self._neighbour is None:
            return False
        try:
            if os.stat(path).st_nlink == 1:  # as nearly always
                return False
            return os.path.samefile(path, self._neighbour.path / name)
        except OSError:
            return False

    def _is_read_back(self, name: str, entry: FileEntry) -> bool:
        return self._read_back is not None and self._read_back.takes(name, entry.bytes)

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
