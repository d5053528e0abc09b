"""Capture: the state of a run becomes a pickle and named arrays, copied so that training can go on.

The copy is what a snapshot holds: nothing that training does afterwards can change it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.errors import SnapshotCorruptError, SnapshotSaveError
from garage_like.snapshot import layout
from garage_like.snapshot.arrays import View
from garage_like.snapshot.filesystem import Buffer
from garage_like.snapshot.manifest import Manifest
from garage_like.snapshot.naming import component_and_key, names_of, tile
from garage_like.snapshot.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.tensors import Tensor, file_pieces, places
from garage_like.snapshot.walk import find_unpicklable


@dataclass(frozen=True)
class Capture:
    """A state, copied.

    Attributes:
        arrays: for each buffer of the pickle, in order, its pieces: file, tensor name, bytes.
        files: what goes to the disk, by path inside the snapshot.
    """

    arrays: list[dict[str, Any]]
    files: dict[str, list[Buffer]]

    @property
    def nbytes(self) -> int:
        """Bytes that this capture holds in memory."""
        return sum(memoryview(p).nbytes for pieces in self.files.values() for p in pieces)


def capture(graph: Mapping[str, Any]) -> Capture:
    """Copy the state that a graph of objects is in.

    Args:
        graph: top-level objects by name.

    Raises:
        SnapshotSaveError: if something cannot be pickled; names its path in the graph.
    """
    pickler = GraphPickler(graph)
    try:
        content = pickler.save()
    except Exception as error:
        raise SnapshotSaveError(_why_unpicklable(graph, error)) from error
    names = names_of(graph)
    components: dict[str, dict[str, Tensor]] = {}
    arrays: list[dict[str, Any]] = []
    for buffer, views in zip(pickler.buffers, pickler.views, strict=True):
        copied = buffer.copy()
        pieces = [
            _add_tensor(
                components,
                names.get(id(view.owner), f"objects.unnamed.{len(arrays)}"),
                view,
                copied,
            )
            for view in _with_gaps(tile(views, copied.nbytes), copied.nbytes)
        ]
        arrays.append({"nbytes": copied.nbytes, "pieces": pieces})
    files: dict[str, list[Buffer]] = {layout.OBJECTS: [content]}
    for component in sorted(components):
        files[tensor_file(component)] = list(file_pieces(_aligned(components[component])))
    return Capture(arrays, files)


def tensor_file(component: str) -> str:
    """Return the path, inside a snapshot, of a component's arrays."""
    return f"{layout.TENSORS}/{component}.safetensors"


def _with_gaps(views: list[View], nbytes: int) -> list[View]:
    """Fill bytes that no array covers with arrays of bytes."""
    filled: list[View] = []
    end = 0
    for view in [*views, View(None, None, (), nbytes, 0)]:
        if view.start > end:
            filled.append(View(None, "U8", (view.start - end,), end, view.start - end))
        if view.nbytes:
            filled.append(view)
        end = view.start + view.nbytes
    return filled


def _add_tensor(
    components: dict[str, dict[str, Tensor]], path: str, view: View, buffer: np.ndarray
) -> list[Any]:
    """Put one array into its component's file; return where it went."""
    component, key = component_and_key(path)
    tensors = components.setdefault(component, {})
    key = _unused(key, tensors)
    content = buffer[view.start : view.start + view.nbytes]
    if view.dtype is None:
        tensors[key] = Tensor(key, "U8", (view.nbytes,), content)
    else:
        tensors[key] = Tensor(key, view.dtype, view.shape, content)
    return [component, key, view.start]


def _aligned(tensors: Mapping[str, Tensor]) -> list[Tensor]:
    """Order tensors by size of element, the widest first, so that each begins aligned."""
    return sorted(tensors.values(), key=lambda t: -int(re.sub(r"\D", "", t.dtype) or 8))


def _unused(key: str, taken: Mapping[str, Any]) -> str:
    number, candidate = 1, key
    while candidate in taken:
        number += 1
        candidate = f"{key}#{number}"
    return candidate


def _why_unpicklable(graph: Mapping[str, Any], error: Exception) -> str:
    def can_pickle(value: Any) -> bool:
        try:
            GraphPickler({"value": value}, keep_live=False).save()
        except Exception:
            return False
        return True

    path = find_unpicklable(graph, can_pickle)
    where = f"{path} cannot be pickled" if path else "the state of the run cannot be pickled"
    return (
        f"{where}: {type(error).__name__}: {error}; leave it out of the object's state"
        " (__getstate__) and make it anew when it is needed. Earlier snapshots are intact"
    )


def load_graph(manifest: Manifest, files: Mapping[str, bytearray], name: str) -> dict[str, Any]:
    """Build the objects of a snapshot from its verified files. This runs code: trust it first.

    Args:
        manifest: of the snapshot.
        files: content of objects.pkl and of every tensor file.
        name: of the snapshot, for messages.
    """
    tensors = {
        path: places(content, f"{name}/{path}")
        for path, content in files.items()
        if path.startswith(f"{layout.TENSORS}/")
    }
    buffers = []
    for entry in manifest.arrays:
        buffer = np.empty(entry["nbytes"], np.uint8)
        for component, key, start in entry["pieces"]:
            try:
                piece = tensors[tensor_file(component)][key]
            except KeyError:
                raise SnapshotCorruptError(
                    f"{name}: the manifest names tensor {key!r} of {component!r}, which no file"
                    " holds"
                ) from None
            buffer[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
        buffers.append(buffer)
    return GraphUnpickler(bytes(files[layout.OBJECTS]), buffers).load()
