"""The manifest of a snapshot: everything about it that is not an array, as JSON.

A snapshot exists for readers if its manifest parses, carries its own digest, and has a format this
version knows. The manifest lists every other file with its size and digest.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from garage_like.errors import SnapshotCorruptError, SnapshotMismatchError
from garage_like.snapshot.layout import MANIFEST

FORMAT = "garage_like-snapshot"
FORMAT_VERSION = 1
MAX_MANIFEST_BYTES = 64 << 20


def new_digest() -> "hashlib.blake2b":
    """Return a fresh digest: BLAKE2b of 128 bits."""
    return hashlib.blake2b(digest_size=16)


@dataclass(frozen=True)
class FileEntry:
    """Size in bytes and BLAKE2b-128 digest (hex) of one file."""

    bytes: int
    blake2b: str


@dataclass(kw_only=True)
class Manifest:
    """What a snapshot says of itself.

    Attributes:
        epoch: the last epoch that was finished.
        itr: garage's counter of train calls.
        total_env_steps: env steps of the run so far.
        train_seconds: time spent training so far, over all resumes.
        created: Unix time of the capture.
        metrics: the epoch's row of the log; non-finite numbers as strings.
        seed: what `set_seed` was given, or None.
        entropy: what all random streams derive from.
        on_gap: whether the epoch is one of every `snapshot_gap`, as retention counts it.
        exact: whether a resume on the same machine and versions is bit-identical.
        reasons: why it is not.
        env_state: `{'mode': 'exact' | 'restart', 'reason': …}`.
        fingerprint: versions, thread counts and flags that bits depend on.
        logs: where each log file ended, in bytes.
        parent: `{'run': …, 'epoch': …}` that this run was resumed from elsewhere, or None.
        train_args: what `train` was given.
        classes: class of each component.
        arrays: for each buffer of objects.pkl, in order, where its bytes are.
        files: every other file of the snapshot.
    """

    epoch: int
    itr: int = 0
    total_env_steps: int = 0
    train_seconds: float = 0.0
    created: float = 0.0
    metrics: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    entropy: int | None = None
    on_gap: bool = True
    exact: bool = True
    reasons: list[str] = field(default_factory=list)
    env_state: dict[str, Any] = field(default_factory=dict)
    fingerprint: dict[str, Any] = field(default_factory=dict)
    logs: dict[str, int] = field(default_factory=dict)
    parent: dict[str, Any] | None = None
    train_args: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    arrays: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, FileEntry] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the JSON text, its own digest included."""
        body = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}
        body["digest"] = _digest_of(body)
        return json.dumps(body, indent=1, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, text: bytes, path: Path) -> "Manifest":
        """Check and parse; `path` is for messages.

        Raises:
            SnapshotCorruptError: if this is no intact manifest.
            SnapshotMismatchError: if it was written by a newer format.
        """
        body = _parse(text, path)
        if body.get("format") != FORMAT:
            raise SnapshotCorruptError(
                f"{path}: expected format {FORMAT!r}, found {body.get('format')!r}"
            )
        digest = body.pop("digest", None)
        if digest != _digest_of(body):
            raise SnapshotCorruptError(f"{path}: its content does not match the digest it carries")
        version = body.get("format_version")
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise SnapshotMismatchError(
                f"{path}: snapshot format {version} is newer than {FORMAT_VERSION}, the newest that"
                " this garage_like reads; install a newer garage_like"
            )
        known = {f.name for f in fields(cls)}
        manifest = cls(**{key: value for key, value in body.items() if key in known})
        manifest.files = {
            name: _file_entry(name, entry, path) for name, entry in manifest.files.items()
        }
        return manifest

    @classmethod
    def read(cls, snapshot: Path) -> "Manifest":
        """Read the manifest of a snapshot directory."""
        path = snapshot / MANIFEST
        try:
            size = path.stat().st_size
            if size > MAX_MANIFEST_BYTES:
                raise SnapshotCorruptError(f"{path}: {size} bytes are too many for a manifest")
            return cls.from_bytes(path.read_bytes(), path)
        except OSError as error:
            raise SnapshotCorruptError(f"{path}: cannot be read: {error}") from error


def _digest_of(body: Mapping[str, Any]) -> str:
    digest = new_digest()
    digest.update(json.dumps(body, sort_keys=True, allow_nan=False).encode())
    return digest.hexdigest()


def _parse(text: bytes, path: Path) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotCorruptError(f"{path}: not JSON: {error}") from error
    if not isinstance(body, dict):
        raise SnapshotCorruptError(f"{path}: expected a JSON object, found {type(body).__name__}")
    return body


def _file_entry(name: str, entry: Any, path: Path) -> FileEntry:
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or name != str(parts):
        raise SnapshotCorruptError(f"{path}: file name {name!r} leads out of the snapshot")
    try:
        return FileEntry(bytes=int(entry["bytes"]), blake2b=str(entry["blake2b"]))
    except (TypeError, KeyError, ValueError) as error:
        raise SnapshotCorruptError(f"{path}: entry of file {name!r} is {entry!r}") from error


def plain_numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics as JSON has them: Python numbers and strings, non-finite ones as strings."""
    plain: dict[str, Any] = {}
    for key, value in metrics.items():
        number = (
            value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
        )
        if isinstance(number, float) and not math.isfinite(number):
            number = repr(number)
        if isinstance(number, bool | int | float | str):
            plain[key] = number
    return plain
