"""Capture: the state of a run becomes a pickle and named arrays, copied so that training can go on.

The copy is what a snapshot holds: nothing that training does afterwards can change it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from garage_like.errors import SnapshotCorruptError, SnapshotSaveError
from garage_like.snapshot import layout
from garage_like.snapshot.arrays import View, name_suffix, stored_shape
from garage_like.snapshot.filesystem import Buffer
from garage_like.snapshot.manifest import Manifest
from garage_like.snapshot.naming import UNNAMED, Name, component_and_key, names_of, tile
from garage_like.snapshot.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.staging import Staging
from garage_like.snapshot.tensors import Tensor, file_pieces, parse
from garage_like.snapshot.walk import find_unpicklable


@dataclass(frozen=True)
class Capture:
    """A state, copied into a staging area.

    Attributes:
        arrays: for each buffer of the pickle, in order: its size and its pieces, each with
            component, tensor name and first byte.
        files: what goes to the disk, by path inside the snapshot.
    """

    arrays: list[dict[str, Any]]
    files: dict[str, list[Buffer]]


def capture(graph: Mapping[str, Any], staging: Staging | None = None) -> Capture:
    """Copy the state that a graph of objects is in.

    Args:
        graph: top-level objects by name.
        staging: where to; None for memory of its own.

    Raises:
        SnapshotSaveError: if something cannot be pickled; names its path in the graph.
    """
    pickler = GraphPickler(graph)
    try:
        content = pickler.save()
    except Exception as error:
        raise SnapshotSaveError(_why_unpicklable(graph, error)) from error
    names = names_of(graph)
    for array, owner in pickler.stand_ins.items():
        if id(owner) in names:
            names[array] = names[id(owner)]
    components: dict[str, dict[str, Tensor]] = {}
    arrays: list[dict[str, Any]] = []
    staging = staging or Staging()
    for number, (buffer, views) in enumerate(zip(pickler.buffers, pickler.views, strict=True)):
        copy = staging.copy(buffer)
        pieces = [
            [*_add(components, path, tensor), start]
            for path, tensor, start in _tensors_in(copy, views, names, f"{UNNAMED}.{number}")
        ]
        arrays.append({"nbytes": copy.nbytes, "pieces": pieces})
    files: dict[str, list[Buffer]] = {layout.OBJECTS: [content]}
    for component in sorted(components):
        in_order = sorted(components[component].values(), key=lambda tensor: -tensor.itemsize)
        files[tensor_file(component)] = list(file_pieces(in_order))
    return Capture(arrays, files)


def tensor_file(component: str) -> str:
    """Return the path, inside a snapshot, of a component's arrays."""
    return f"{layout.TENSORS}/{component}.safetensors"


def _tensors_in(
    buffer: np.ndarray, views: list[View], names: Mapping[int, Name], unnamed: str
) -> Iterator[tuple[str, Tensor, int]]:
    """Yield path, tensor and first byte of what a buffer is written as; together, all of it."""
    end = 0
    known = [names[id(view.owner)] for view in views if id(view.owner) in names]
    rest = f"{min(known).path}.memory" if known else unnamed
    for view in tile(views, names, buffer.nbytes):
        if view.start > end:
            yield rest, Tensor("", "U8", (view.start - end,), buffer[end : view.start]), end
        content = buffer[view.start : view.start + view.nbytes]
        path = names[id(view.owner)].path
        if view.dtype is None or view.axes is None:
            yield path, Tensor("", "U8", (view.nbytes,), content), view.start
        else:
            shape = stored_shape(view.shape, view.axes)
            yield path + name_suffix(view.axes), Tensor("", view.dtype, shape, content), view.start
        end = view.start + view.nbytes
    if end < buffer.nbytes:
        yield rest, Tensor("", "U8", (buffer.nbytes - end,), buffer[end:]), end


def _add(components: dict[str, dict[str, Tensor]], path: str, tensor: Tensor) -> tuple[str, str]:
    """Put a tensor into its component's file; return component and name, made unique there."""
    component, key = component_and_key(path)
    tensors = components.setdefault(component, {})
    unique, number = key, 1
    while unique in tensors:
        number += 1
        unique = f"{key}#{number}"
    tensors[unique] = replace(tensor, name=unique)
    return component, unique


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
        path: parse(content, f"{name}/{path}")
        for path, content in files.items()
        if path.startswith(f"{layout.TENSORS}/")
    }
    buffers = []
    try:
        for entry in manifest.arrays:
            pieces = [
                (tensors[tensor_file(component)][key].content, start)
                for component, key, start in entry["pieces"]
            ]
            buffers.append(_joined(pieces, entry["nbytes"]))
        objects = files[layout.OBJECTS]
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotCorruptError(
            f"{name}: the manifest and the files do not agree on the arrays: {error!r}"
        ) from error
    return GraphUnpickler(objects, buffers).load()


def _joined(pieces: list[tuple[np.ndarray, int]], nbytes: int) -> np.ndarray:
    if len(pieces) == 1 and pieces[0][0].nbytes == nbytes:
        return pieces[0][0]
    if sum(content.nbytes for content, _ in pieces) != nbytes:
        raise ValueError(f"{nbytes} bytes expected")
    buffer = np.empty(nbytes, np.uint8)
    for content, start in pieces:
        buffer[start : start + content.nbytes] = content
    return buffer
