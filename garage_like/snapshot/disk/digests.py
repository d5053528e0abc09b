"""Digests of files: BLAKE2b of 128 bits. A file that does not match its digest is never used."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.disk.filesystem import Buffer
from garage_like.snapshot.disk.opening import opened

PIECE = 1 << 20


@dataclass(frozen=True)
class FileEntry:
    """Size in bytes and BLAKE2b-128 digest (hex) of one file."""

    bytes: int
    blake2b: str


def new_digest() -> hashlib.blake2b:
    """Return a fresh digest."""
    return hashlib.blake2b(digest_size=16)


def digest_of(pieces: Iterable[Buffer]) -> FileEntry:
    """Return size and digest of a file given in pieces."""
    digest, size = new_digest(), 0
    for piece in pieces:
        view = memoryview(piece).cast("B")
        size += len(view)
        digest.update(view)
    return FileEntry(bytes=size, blake2b=digest.hexdigest())


def check_file(snapshot: Path, name: str, entry: FileEntry) -> None:
    """Read one file of a snapshot piece by piece, from the disk itself where that can be asked for.

    Raises:
        SnapshotCorruptError: if it is missing or is not what the manifest says.
    """
    with opened(snapshot, name, entry.bytes) as file:
        _forget_cached(file)
        found = digest_of(iter(lambda: file.read(PIECE), b""))
    _check_digest(snapshot / name, found, entry)


def checked_pieces(snapshot: Path, name: str, entry: FileEntry) -> Iterator[bytes]:
    """Yield the pieces of one file of a snapshot.

    Raises:
        SnapshotCorruptError: after the last, if the file is not what the manifest says.
    """
    digest, size = new_digest(), 0
    with opened(snapshot, name, entry.bytes) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            yield piece
    _check_digest(snapshot / name, FileEntry(size, digest.hexdigest()), entry)


def _forget_cached(file: io.FileIO) -> None:
    """Ask the system to read what it has in memory anew: what rots is the disk."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_file(snapshot: Path, name: str, entry: FileEntry) -> bytearray:
    """Read one file of a snapshot whole, and check it.

    Raises:
        SnapshotCorruptError: if it is missing or is not what the manifest says.
    """
    with opened(snapshot, name, entry.bytes) as file:
        content = bytearray(entry.bytes)
        rest = memoryview(content)
        while len(rest) and (count := file.readinto(rest)):
            rest = rest[count:]
    _check_digest(snapshot / name, digest_of([content]), entry)
    return content


def _check_digest(path: Path, found: FileEntry, expected: FileEntry) -> None:
    if found != expected:
        raise SnapshotCorruptError(f"{path}: its content does not match its digest")
