"""The few file operations that a snapshot is made of, each a method, so that tests can cut in.

Everything the store does to the disk goes through one `FileSystem`. A test replaces it to kill the
process, fail or forget at each operation in turn.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

Buffer = bytes | bytearray | memoryview
_SMALL = 1 << 16


class FileSystem:
    """Do what the operating system does, durably where the name says so."""

    def make_dir(self, path: Path) -> None:
        """Create a directory; its parent must exist."""
        os.mkdir(path)

    def write_file(self, path: Path, pieces: Iterable[Buffer]) -> None:
        """Create a file, write all pieces and flush it to the disk (fsync)."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            for block in _blocks(pieces):
                self.write_all(descriptor, block)
            self.sync_file(descriptor)
        finally:
            os.close(descriptor)

    def write_all(self, descriptor: int, piece: memoryview) -> None:
        """Write a whole piece: the system may take only a part of it at a time."""
        while len(piece):
            piece = piece[os.write(descriptor, piece) :]

    def sync_file(self, descriptor: int) -> None:
        """Wait until a file's content is on the disk."""
        os.fsync(descriptor)

    def sync_dir(self, path: Path) -> None:
        """Wait until a directory's entries are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def link(self, source: str, target: str) -> None:
        """Give a file a second name."""
        os.link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Move a file or directory in one step."""
        os.rename(source, target)

    def remove_file(self, path: Path) -> None:
        """Remove one name of a file."""
        os.unlink(path)

    def remove_tree(self, path: Path) -> None:
        """Remove a directory and all that is in it; of a link, the link alone."""
        if path.is_symlink():
            os.unlink(path)
        else:
            shutil.rmtree(path)


def _blocks(pieces: Iterable[Buffer]) -> Iterator[memoryview]:
    """Yield what pieces hold, small ones joined: each call of the system holds training up."""
    small: list[memoryview] = []
    for piece in pieces:
        view = memoryview(piece).cast("B")
        if len(view) < _SMALL:
            small.append(view)
            continue
        if small:
            yield memoryview(b"".join(small))
            small = []
        yield view
    if small:
        yield memoryview(b"".join(small))
