"""Buffers of a pickle become tensors in files, one file for each component."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.filesystem import Buffer
from garage_like.snapshot.disk.tensors import Tensor, file_pieces
from garage_like.snapshot.graph.naming import UNNAMED, Name, component_and_key, tile
from garage_like.snapshot.kinds.arrays import View, name_suffix, stored_shape

_NO_NAME = Name(sys.maxsize, UNNAMED)
_MEMORY = ".memory"


def tensor_file(component: str) -> str:
    """Return the path, inside a snapshot, of a component's arrays."""
    return f"{layout.TENSORS}/{component}.safetensors"


class Components:
    """Collect tensors by component.

    Args:
        names: of arrays, by id.
    """

    def __init__(self, names: Mapping[int, Name]) -> None:
        self._names = names
        self._tensors: dict[str, dict[str, Tensor]] = {}

    def add(self, buffer: np.ndarray, views: Sequence[View]) -> dict[str, Any]:
        """Take a buffer in; return its size and where it went, as the manifest keeps it.

        Args:
            buffer: shape (nbytes,), uint8.
            views: the arrays that look at it.
        """
        named = [(self._names.get(id(view.owner), _NO_NAME), view) for view in views]
        if len(views) == 1 and views[0].axes is not None and views[0].nbytes == buffer.nbytes:
            name, view = named[0]  # as nearly always
            return {
                "nbytes": buffer.nbytes,
                "pieces": [[*self._put(name, _tensor(view, "", buffer)), 0]],
            }
        pieces = [
            [*self._put(name, tensor), start] for name, tensor, start in _tensors_in(buffer, named)
        ]
        return {"nbytes": buffer.nbytes, "pieces": pieces}

    def _put(self, name: Name, tensor: Tensor) -> tuple[str, str]:
        """Return component and name of a tensor, made unique there."""
        component, key = component_and_key(name.path)
        tensors = self._tensors.setdefault(component, {})
        key += tensor.name
        unique, number = key, 1
        while unique in tensors:
            number += 1
            unique = f"{key}#{number}"
        tensors[unique] = tensor._replace(name=unique)
        return component, unique

    def files(self) -> dict[str, list[Buffer]]:
        """Return the pieces of each component's file, by path inside the snapshot."""
        files: dict[str, list[Buffer]] = {}
        for component in sorted(self._tensors):
            widest_first = sorted(self._tensors[component].values(), key=lambda t: -t.itemsize)
            files[tensor_file(component)] = list(file_pieces(widest_first))
        return files


def _tensors_in(
    buffer: np.ndarray, views: list[tuple[Name, View]]
) -> Iterator[tuple[Name, Tensor, int]]:
    """Yield name, tensor and first byte of what a buffer is written as; together, all of it.

    The name of a tensor is what follows that of its array.
    """
    end = 0
    owner = min((name for name, _ in views), default=_NO_NAME)
    for name, view in tile(views, buffer.nbytes):
        if view.start > end:
            yield owner, _memory(buffer[end : view.start]), end
        end = view.start + view.nbytes
        content = buffer[view.start : end]
        if name == owner or name.path != UNNAMED:
            yield name, _tensor(view, "", content), view.start
        else:
            yield owner, _tensor(view, _MEMORY, content), view.start
    if end < buffer.nbytes:
        yield owner, _memory(buffer[end:]), end


def _tensor(view: View, suffix: str, content: np.ndarray) -> Tensor:
    if view.dtype is None or view.axes is None:
        return Tensor.of(suffix, None, view.shape, content)
    shape = stored_shape(view.shape, view.axes)
    return Tensor.of(suffix + name_suffix(view.axes), view.dtype, shape, content)


def _memory(content: np.ndarray) -> Tensor:
    """Describe bytes that no array without gaps covers."""
    return Tensor.of(_MEMORY, None, (), content)
