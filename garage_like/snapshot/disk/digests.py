"""Digests of files. One that does not match its digest is never used.

They tell a disk that rots, a cut copy or a lost block, so what counts is that memory is read as
fast as it can be: XXH3 of 128 bits. They are no seal: whoever can write to a snapshot can write its
digests, too. Snapshots of format 1 have BLAKE2b's, and are checked by those.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import xxhash

from garage_like.errors import SnapshotCorruptError
from garage_like.files.opening import opened
from garage_like.snapshot.disk.filesystem import Buffer

PIECE = 1 << 20


class _Digest(Protocol):
    def update(self, piece: Buffer, /) -> None: ...
    def hexdigest(self) -> str: ...


def _blake2b() -> _Digest:
    return hashlib.blake2b(digest_size=16)


ALGORITHM = "xxh3_128"
_ALGORITHMS: Mapping[str, Callable[[], _Digest]] = {
    ALGORITHM: xxhash.xxh3_128,
    "blake2b": _blake2b,
}


@dataclass(frozen=True)
class FileEntry:
    """What a manifest says of one file.

    Attributes:
        bytes: its size.
        digest: of 128 bits, in hex.
        algorithm: which digest.
    """

    bytes: int
    digest: str
    algorithm: str = ALGORITHM

    def to_json(self) -> dict[str, Any]:
        """Return it as manifests hold it."""
        return {"bytes": self.bytes, self.algorithm: self.digest}

    @property
    def blake2b(self) -> str:
        """The digest, if it is BLAKE2b's."""
        if self.algorithm != "blake2b":
            raise AttributeError(f"this is a digest of {self.algorithm}")
        return self.digest

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FileEntry:
        """Take it out of a manifest.

        Raises:
            ValueError: if it has no digest of a known kind.
        """
        for algorithm in _ALGORITHMS:
            if algorithm in values:
                return cls(values["bytes"], str(values[algorithm]), algorithm)
        raise ValueError(f"expected a digest, one of {sorted(_ALGORITHMS)}, found {dict(values)!r}")


def digest_of(pieces: Iterable[Buffer], algorithm: str = "blake2b") -> FileEntry:
    """Return size and digest of what is given in pieces: a text, the state of a generator."""
    digest, size = _ALGORITHMS[algorithm](), 0
    for piece in pieces:
        view = memoryview(piece).cast("B")
        size += len(view)
        digest.update(view)
    return FileEntry(size, digest.hexdigest(), algorithm)


def file_digest_of(pieces: Iterable[Buffer]) -> FileEntry:
    """Return what a manifest says of a file given in pieces."""
    return digest_of(pieces, ALGORITHM)


def check_file(snapshot: Path, name: str, entry: FileEntry) -> None:
    """Read one file of a snapshot piece by piece, from the disk itself where that can be asked for.

    Raises:
        SnapshotCorruptError: if it is missing or is not what the manifest says.
    """
    with opened(snapshot, name, entry.bytes) as file:
        _forget_cached(file)
        found = digest_of(iter(lambda: file.read(PIECE), b""), entry.algorithm)
    _check_digest(snapshot / name, found, entry)


def checked_pieces(snapshot: Path, name: str, entry: FileEntry) -> Iterator[bytes]:
    """Yield the pieces of one file of a snapshot.

    Raises:
        SnapshotCorruptError: after the last, if the file is not what the manifest says.
    """
    digest, size = _ALGORITHMS[entry.algorithm](), 0
    with opened(snapshot, name, entry.bytes) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            yield piece
    _check_digest(snapshot / name, FileEntry(size, digest.hexdigest(), entry.algorithm), entry)


def _forget_cached(file: io.FileIO) -> None:
    """Ask the system to read what it has in memory again: what rots is the disk."""
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
    _check_digest(snapshot / name, digest_of([content], entry.algorithm), entry)
    return content


def _check_digest(path: Path, found: FileEntry, expected: FileEntry) -> None:
    if found != expected:
        raise SnapshotCorruptError(f"{path}: its content does not match its digest")
