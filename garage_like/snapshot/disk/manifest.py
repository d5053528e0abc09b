"""The manifest of a snapshot: everything about it that is not an array, as JSON.

A snapshot exists for readers if its manifest parses, carries its own digest, and has a format this
version knows. The manifest lists every other file with its size and digest.

The digest stands in the last line and is of all bytes before it. Formats to come keep that, and
`format` and `format_version`, so that a newer one is told from a damaged one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from garage_like.errors import SnapshotCorruptError, SnapshotMismatchError, SnapshotSaveError
from garage_like.files.guarded_json import MAX_BYTES, parse_object
from garage_like.files.opening import leads_out, read_content
from garage_like.snapshot.disk.digests import FileEntry, digest_of
from garage_like.snapshot.disk.layout import MANIFEST
from garage_like.snapshot.disk.manifest_types import check_values, is_count

FORMAT = "garage_like-snapshot"
FORMAT_VERSION = 2
"""2: files have digests of another kind than in 1."""


@dataclass(frozen=True, kw_only=True)
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
        on_gap: whether the epoch is one of every `snapshot_gap`, or was the final one.
        exact: whether a resume on the same machine and versions is bit-identical.
        reasons: why it is not.
        env_state: `{'mode': 'exact' | 'restart', 'reason': …}`.
        fingerprint: versions, thread counts and flags that bits depend on.
        logs: where each log file ended, in bytes.
        parent: `{'run': …, 'epoch': …}` that this run was resumed from elsewhere, or None.
        train_args: what `train` was given.
        classes: class of each component.
        configuration: what each component was constructed with, by component and argument.
        normalizers: `mean`, `var` and `count` that the environment normalises with.
        arrays: for each buffer of objects.pkl, in order, where its bytes are.
        tables: for each table of the graph, in order: folder, columns, rows, when groups changed.
        written_by: the user who wrote it, for `trust`.
        left_out: names of replay memories that were saved without their transitions.
        skipped: names that a script's loop was told to leave out, see `epochs`.
        generators: a digest of each random generator's state, by its path in the object graph.
        changes: settings that the run goes on with otherwise than it began, in order: `epoch`, the
            first under it, `name`, `was` and `now`.
        judged_by: `{'metric': …, 'mode': 'max' | 'min'}`, by which the best snapshot is found.
        made_again: what is made again after a restore, and not saved: paths and classes.
        num_replaced: epochs of this process that were due and gave way to later ones.
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
    configuration: dict[str, dict[str, Any]] = field(default_factory=dict)
    normalizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrays: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    generators: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    judged_by: dict[str, str] = field(default_factory=dict)
    made_again: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    num_replaced: int = 0
    written_by: str = ""
    files: dict[str, FileEntry] = field(default_factory=dict)

    def metric(self, name: str) -> float | None:
        """Return a number of the epoch's row, or None if there is no such number."""
        try:
            return float(self.metrics[name])
        except (KeyError, ValueError, TypeError):
            return None

    def to_bytes(self) -> bytes:
        """Return the JSON text, a line for each attribute, its own digest included."""
        body = {"format": FORMAT, "format_version": FORMAT_VERSION, **vars(self)}
        body["files"] = {name: entry.to_json() for name, entry in self.files.items()}
        lines = [f"{json.dumps(k)}: {json.dumps(v, allow_nan=False)},\n" for k, v in body.items()]
        text = ("{\n" + "".join(lines)).encode()
        text += _digest_line(text)
        try:
            parse_object(text, ascii_only=True)
        except ValueError as error:
            raise SnapshotSaveError(f"the manifest could not be read back: {error}") from error
        return text

    @classmethod
    def from_bytes(
        cls, text: bytes, path: str | os.PathLike[str], only: Collection[str] = ()
    ) -> Manifest:
        """Check and parse.

        Args:
            text: of the file.
            path: for messages.
            only: attributes to take out of it, if not all, which is quicker; the others are as
                where a manifest says nothing of them, and what is said of them is not looked at.

        Raises:
            SnapshotCorruptError: if this is no intact manifest.
            SnapshotMismatchError: if it was written by a newer format.
        """
        values = _values_of(text, path, only)
        files = values.pop("files", {}).items()
        try:
            return cls(**values, files={n: _file_entry(n, entry, path) for n, entry in files})
        except (TypeError, ValueError) as error:
            raise SnapshotCorruptError(f"{path}: not a manifest: {error}") from error

    @classmethod
    def read(cls, snapshot: str | os.PathLike[str], only: Collection[str] = ()) -> Manifest:
        """Read the manifest of a snapshot directory, or some of it: see `from_bytes`."""
        return cls.from_bytes(*_text_of(snapshot), only)

    @staticmethod
    def read_values(snapshot: str | os.PathLike[str], only: Collection[str]) -> dict[str, Any]:
        """Read some attributes of a manifest as JSON has them, to compare many with each other.

        What is said of each file is not looked at.
        """
        return _values_of(*_text_of(snapshot), only)


def _text_of(snapshot: str | os.PathLike[str]) -> tuple[bytes, str]:
    return read_content(snapshot, MANIFEST, MAX_BYTES), f"{os.fspath(snapshot)}/{MANIFEST}"


def _values_of(
    text: bytes, path: str | os.PathLike[str], only: Collection[str] = ()
) -> dict[str, Any]:
    """Check a manifest; return the attributes that are known, or those that are wanted."""
    body = _parse(_lines_of(only, text) if only else text, path)
    if body.get("format") != FORMAT:
        raise SnapshotCorruptError(
            f"{path}: expected format {FORMAT!r}, found {body.get('format')!r}"
        )
    digest_line = len(text) - _DIGEST_LINE
    if text[digest_line:] != _digest_line(text[:digest_line]):
        raise SnapshotCorruptError(f"{path}: its content does not match the digest it carries")
    version = body.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise SnapshotMismatchError(
            f"{path}: snapshot format {version} is newer than {FORMAT_VERSION}, the newest that"
            " this garage_like reads; install a newer garage_like"
        )
    known = Manifest.__dataclass_fields__
    values = {key: value for key, value in body.items() if key in known}
    try:
        check_values(values)
    except ValueError as error:
        raise SnapshotCorruptError(f"{path}: not a manifest: {error}") from error
    return values


def _digest_line(text: bytes) -> bytes:
    return f'"digest": "{digest_of([text]).blake2b}"\n}}\n'.encode()


_DIGEST_LINE = len(_digest_line(b""))


def _lines_of(attributes: Collection[str], text: bytes) -> bytes:
    """Return the lines of some attributes, as JSON; all of a text that has not a line for each."""
    if not text.startswith(b'{\n"format": ') or len(text) > MAX_BYTES or not text.isascii():
        return text
    lines = text.split(b"\n")
    wanted = {b'"%s"' % name.encode() for name in (*attributes, "format", "format_version")}
    chosen = [line for line in lines if line.partition(b": ")[0] in wanted]
    return b"{" + b"\n".join(chosen).removesuffix(b",") + b"}"


def _parse(text: bytes, path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        return parse_object(text, ascii_only=True)
    except ValueError as error:
        raise SnapshotCorruptError(f"{path}: not JSON: {error}") from error


def _file_entry(name: str, entry: Any, path: str | os.PathLike[str]) -> FileEntry:
    if leads_out(name):
        raise SnapshotCorruptError(f"{path}: file name {name!r} leads out of the snapshot")
    if not isinstance(entry, dict) or not is_count(entry.get("bytes")):
        raise SnapshotCorruptError(f"{path}: entry of file {name!r} is {entry!r}")
    try:
        return FileEntry.from_json(entry)
    except ValueError as error:
        raise SnapshotCorruptError(f"{path}: file {name!r}: {error}") from error


def plain_numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics as JSON has them: Python numbers and strings, non-finite ones as strings."""
    plain: dict[str, Any] = {}
    for key, value in metrics.items():
        try:
            number = value.item() if hasattr(value, "item") else value
        except (ValueError, RuntimeError):
            continue  # an array, of which a row has no place for
        if isinstance(number, float) and not math.isfinite(number):
            number = repr(number)
        if isinstance(number, bool | int | float | str):
            plain[key] = number
    return plain
