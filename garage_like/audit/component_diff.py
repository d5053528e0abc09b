"""What two snapshots differ in: generators, tensors by component, tables by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garage_like.audit.times import is_time_at
from garage_like.snapshot.disk.digests import FileEntry, read_file
from garage_like.snapshot.disk.layout import TABLES, TENSORS
from garage_like.snapshot.disk.manifest import Manifest

if TYPE_CHECKING:
    import numpy as np

    from garage_like.snapshot.disk.tensors import Tensor


@dataclass(frozen=True)
class PartDiff:
    """A part of two snapshots that differs.

    Attributes:
        kind: `generator`, `component` or `table`.
        name: of the part.
        first: the first tensor or column that differs, and where in a table; None of a generator.
        num_differing: how many tensors, or files of rows, differ.
        largest: the largest distance of two numbers in `first`; None where there is none to tell.
        only_in: `a` or `b`, if the other has no such part.
    """

    kind: str
    name: str
    first: str | None = None
    num_differing: int = 1
    largest: float | None = None
    only_in: str | None = None


def differing_parts(a: Path, b: Path) -> Iterator[PartDiff]:
    """Yield the parts that two snapshots differ in; reads files only where their digests differ."""
    left, right = (Manifest.read_values(path, ("generators", "files")) for path in (a, b))
    if _compared(left) == _compared(right):
        return  # as most are where there are many
    ours, theirs = (Manifest.read(path, ("epoch", "generators", "files")) for path in (a, b))
    yield from _generators(ours.generators, theirs.generators)
    yield from _components(a, b, ours.files, theirs.files)
    yield from _tables(a, b, ours.files, theirs.files)


def _compared(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    files = values.get("files", {}).items()
    parts = {name: entry for name, entry in files if name.startswith((TENSORS, TABLES))}
    return values.get("generators", {}), parts


def _generators(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[PartDiff]:
    if not (ours and theirs):
        return  # a snapshot that was taken before manifests had them
    for path in dict.fromkeys([*ours, *theirs]):
        if ours.get(path) != theirs.get(path):
            yield PartDiff("generator", path, only_in=_only_in(path, ours, theirs))


def _only_in(name: str, ours: Mapping[str, object], theirs: Mapping[str, object]) -> str | None:
    return "a" if name not in theirs else "b" if name not in ours else None


def _components(
    a: Path, b: Path, ours: Mapping[str, FileEntry], theirs: Mapping[str, FileEntry]
) -> Iterator[PartDiff]:
    for path in _differing_files(f"{TENSORS}/", ours, theirs):
        name = path.removeprefix(f"{TENSORS}/").removesuffix(".safetensors")
        only_in = _only_in(path, ours, theirs)
        if only_in is not None:
            yield PartDiff("component", name, only_in=only_in)
            continue
        left, right = _tensors(a, path, ours[path]), _tensors(b, path, theirs[path])
        keys = [
            key
            for key in dict.fromkeys([*left, *right])
            if not is_time_at(f".{key}") and not _same(left.get(key), right.get(key))
        ]
        if keys:
            largest = _distance(left.get(keys[0]), right.get(keys[0]))
            yield PartDiff("component", name, keys[0], len(keys), largest)


def _tables(
    a: Path, b: Path, ours: Mapping[str, FileEntry], theirs: Mapping[str, FileEntry]
) -> Iterator[PartDiff]:
    by_table: dict[str, list[str]] = {}
    for path in _differing_files(f"{TABLES}/", ours, theirs):
        by_table.setdefault(path.split("/")[1], []).append(path)
    for name, paths in by_table.items():
        first = paths[0]
        only_in = _only_in(first, ours, theirs)
        if only_in is not None:
            where = f"rows of {Path(first).stem.removeprefix('rows_').lstrip('0') or '0'} on"
            yield PartDiff("table", name, where, len(paths), only_in=only_in)
            continue
        left, right = _tensors(a, first, ours[first]), _tensors(b, first, theirs[first])
        key = next(key for key in [*left, *right] if not _same(left.get(key), right.get(key)))
        row = int(Path(first).stem.removeprefix("rows_")) + _first_row(left[key], right[key])
        largest = _distance(left.get(key), right.get(key))
        yield PartDiff("table", name, f"{key}[{row}]", len(paths), largest)


def _differing_files(
    prefix: str, ours: Mapping[str, FileEntry], theirs: Mapping[str, FileEntry]
) -> list[str]:
    names = sorted(name for name in {*ours, *theirs} if name.startswith(prefix))
    return [name for name in names if ours.get(name) != theirs.get(name)]


def _tensors(snapshot: Path, path: str, entry: FileEntry) -> dict[str, Tensor]:
    from garage_like.snapshot.disk.tensors import parse

    return parse(read_file(snapshot, path, entry), f"{snapshot}/{path}")


def _same(a: Tensor | None, b: Tensor | None) -> bool:
    if a is None or b is None:
        return False
    same_kind = (a.dtype, a.shape) == (b.dtype, b.shape)
    return same_kind and a.content.tobytes() == b.content.tobytes()


def _first_row(a: Tensor, b: Tensor) -> int:
    """Return the first row in which two columns differ, or how many rows the shorter has."""
    left, right = _rows(a), _rows(b)
    length = min(len(left), len(right))
    if left.shape[1:] != right.shape[1:]:
        return 0
    differing = (left[:length] != right[:length]).any(axis=1)
    return int(differing.argmax()) if differing.any() else length


def _rows(tensor: Tensor) -> np.ndarray:
    rows = max(tensor.shape[0], 1) if tensor.shape else 1
    return tensor.content.reshape(rows, -1)


def _distance(a: Tensor | None, b: Tensor | None) -> float | None:
    import numpy as np

    if a is None or b is None or a.shape != b.shape or a.content.size == 0:
        return None
    ours, theirs = a.array(), b.array()
    if not {ours.dtype.kind, theirs.dtype.kind} <= set("biufc"):
        return None  # dates, text
    kind = np.result_type(ours, theirs, np.float64)
    with np.errstate(all="ignore"):
        gap = np.abs(ours.astype(kind) - theirs.astype(kind))
    finite = gap[np.isfinite(gap)]
    return float(finite.max()) if finite.size else None
