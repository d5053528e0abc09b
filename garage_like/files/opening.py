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
def opened(
    snapshot: str | os.PathLike[str], name: str, size: int | None = None
) -> Iterator[io.FileIO]:
    """Open a plain file of a snapshot.

    Args:
        snapshot: its directory.
        name: path inside of it.
        size: in bytes, that the file must have.

    Raises:
        SnapshotCorruptError: if there is no such file, it is no plain file, leads out of the
            snapshot, or has another size.
    """
    try:
        with io.FileIO(_open(snapshot, name, size)[0]) as file:
            yield file
    except SnapshotCorruptError:
        raise
    except (OSError, ValueError) as error:
        raise _said(error, snapshot, name) from error


def read_content(folder: str | os.PathLike[str], name: str, most: int) -> bytes:
    """Return what a plain file of a folder holds; of a larger one, `most` bytes and one more.

    Raises:
        SnapshotCorruptError: as `opened` does.
    """
    try:
        descriptor, found_size = _open(folder, name, None)
        try:
            return os.read(descriptor, min(found_size, most) + 1)
        finally:
            os.close(descriptor)
    except SnapshotCorruptError:
        raise
    except (OSError, ValueError) as error:
        raise _said(error, folder, name) from error


def _said(
    error: OSError | ValueError, snapshot: str | os.PathLike[str], name: str
) -> SnapshotCorruptError:
    reason = getattr(error, "strerror", None) or error
    return SnapshotCorruptError(f"{Path(snapshot, name)}: cannot be read: {reason}")


def _open(snapshot: str | os.PathLike[str], name: str, size: int | None) -> tuple[int, int]:
    """Open a file and look whether it is what it seems; return its descriptor and its size."""
    descriptor = _descriptor(snapshot, name)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SnapshotCorruptError(f"{Path(snapshot, name)}: expected a plain file")
        if size is not None and found.st_size != size:
            raise SnapshotCorruptError(
                f"{Path(snapshot, name)}: expected {size} bytes, found {found.st_size}"
            )
        if found.st_size > max(_LARGE, _MOSTLY_HOLE * 512 * found.st_blocks):
            raise SnapshotCorruptError(
                f"{Path(snapshot, name)}: {found.st_size} bytes, of which next to none are on the"
                " disk"
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, found.st_size


def _descriptor(snapshot: str | os.PathLike[str], name: str) -> int:
    """Open a file without following a link below the snapshot's directory."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    *folders, last = name.split("/") if _ORDINARY.fullmatch(name) else PurePosixPath(name).parts
    if not folders:
        return os.open(f"{os.fspath(snapshot)}/{last}", flags)
    with contextlib.ExitStack() as stack:
        descriptor = os.open(snapshot, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, descriptor)
        for folder in folders:
            inside = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            descriptor = os.open(folder, inside, dir_fd=descriptor)
            stack.callback(os.close, descriptor)
        return os.open(last, flags, dir_fd=descriptor)
