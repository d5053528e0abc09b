"""Opening files of a snapshot of unknown origin: plain files, inside its directory, as they seem.

A name must not lead out of the snapshot, neither by `..` nor through a link; a pipe must not keep
the reader waiting; a file that is nearly all hole must not be read for days.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from garage_like.errors import SnapshotCorruptError

_ORDINARY = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
"""Names of which it is clear at once; all that snapshots have of themselves are such."""
_LARGE = 1 << 30
_MOSTLY_HOLE = 1000


def leads_out(name: str) -> bool:
    """Tell whether a path within a snapshot is anything but a plain one that stays inside."""
    if _ORDINARY.fullmatch(name):
        return False
    parts = PurePosixPath(name)
    leads_up = parts.is_absolute() or ".." in parts.parts or not parts.parts
    return leads_up or name != str(parts) or "\0" in name or not _is_text(name)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def opened(snapshot: Path, name: str, size: int | None = None) -> Iterator[io.FileIO]:
    """Open a plain file of a snapshot.

    Args:
        snapshot: its directory.
        name: path inside of it.
        size: in bytes, that the file must have.

    Raises:
        SnapshotCorruptError: if there is no such file, it is no plain file, leads out of the
            snapshot, or has another size.
    """
    path = snapshot / name
    try:
        with _descriptor(snapshot, name) as descriptor:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise SnapshotCorruptError(f"{path}: expected a plain file")
            if size is not None and found.st_size != size:
                raise SnapshotCorruptError(f"{path}: expected {size} bytes, found {found.st_size}")
            if found.st_size > max(_LARGE, _MOSTLY_HOLE * 512 * found.st_blocks):
                raise SnapshotCorruptError(
                    f"{path}: {found.st_size} bytes, of which next to none are on the disk"
                )
            with io.FileIO(descriptor, closefd=False) as file:
                yield file
    except (OSError, ValueError) as error:
        if isinstance(error, SnapshotCorruptError):
            raise
        raise SnapshotCorruptError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error


@contextlib.contextmanager
def _descriptor(snapshot: Path, name: str) -> Iterator[int]:
    """Open a file without following a link below the snapshot's directory."""
    *folders, last = name.split("/") if _ORDINARY.fullmatch(name) else PurePosixPath(name).parts
    with contextlib.ExitStack() as stack:
        descriptor = os.open(snapshot, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, descriptor)
        for folder in folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            descriptor = os.open(folder, flags, dir_fd=descriptor)
            stack.callback(os.close, descriptor)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(last, flags, dir_fd=descriptor)
        stack.callback(os.close, descriptor)
        yield descriptor
