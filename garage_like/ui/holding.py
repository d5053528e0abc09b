"""What a snapshot holds: components and their arrays, tables, files; read from headers alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotCorruptError
from garage_like.files.guarded_json import MAX_BYTES, parse_object
from garage_like.files.opening import opened
from garage_like.snapshot.disk.layout import TENSORS
from garage_like.snapshot.disk.manifest import Manifest

MOST_ARRAYS = 500


@dataclass(frozen=True)
class Array:
    """An array of a component: its name, its type and its shape, as the file says."""

    name: str
    type: str
    shape: str


@dataclass(frozen=True)
class Component:
    """A component with arrays.

    Attributes:
        name: of the component.
        bytes: of its file.
        arrays: what is in it; none where the file cannot be read.
        problem: why not.
    """

    name: str
    bytes: int
    arrays: list[Array]
    problem: str = ""


def components(snapshot: Path, manifest: Manifest) -> list[Component]:
    """Return the components of a snapshot; no array is read."""
    found = []
    for path, entry in sorted(manifest.files.items()):
        if not path.startswith(f"{TENSORS}/"):
            continue
        name = path.removeprefix(f"{TENSORS}/").removesuffix(".safetensors")
        try:
            found.append(Component(name, entry.bytes, _arrays(snapshot, path)))
        except (SnapshotCorruptError, ValueError, TypeError, AttributeError) as error:
            found.append(Component(name, entry.bytes, [], str(error)))
    return found


def _arrays(snapshot: Path, path: str) -> list[Array]:
    with opened(snapshot, path) as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= MAX_BYTES:
            raise ValueError(f"{path}: no safetensors")
        header = parse_object(file.read(length))
    header.pop("__metadata__", None)
    return [
        Array(name, str(entry.get("dtype")), " × ".join(map(str, entry.get("shape", []))) or "1")
        for name, entry in sorted(header.items())[:MOST_ARRAYS]
    ]


def tables(manifest: Manifest) -> list[dict[str, Any]]:
    """Return name and number of rows of each table: replay memory, say."""
    return [
        {"name": str(entry.get("folder")), "rows": entry.get("num_rows")}
        for entry in manifest.tables
    ]
