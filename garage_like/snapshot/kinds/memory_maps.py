"""Memory maps stay memory maps: arrays of NumPy that lie in a file.

One that can only be read is opened again, and the file is all that there is of its content. What
one holds that can be written is saved as any array is. A restore that a run goes on from writes it
into the file again; whoever only looks at a snapshot gets an array, and leaves the file alone.
"""

from __future__ import annotations

import contextlib
import contextvars
import mmap
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.arrays import rebuild_array

_going_on: contextvars.ContextVar[bool] = contextvars.ContextVar("going_on", default=False)


@contextlib.contextmanager
def going_on() -> Iterator[None]:
    """Write what memory maps held into their files, in the block."""
    token = _going_on.set(True)
    try:
        yield
    finally:
        _going_on.reset(token)


def is_mapped(array: np.ndarray) -> bool:
    """Tell whether an array is a memory map of its own, of a file with a name."""
    return (
        type(array) is np.memmap
        and isinstance(array.base, mmap.mmap)
        and isinstance(array.filename, str | os.PathLike)
    )


def reduce_mapped(array: Any, reduced: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """Return how pickle saves a memory map.

    Args:
        array: the map.
        reduced: how its content is saved; None if it can only be read.
    """
    order = "C" if array.flags.c_contiguous else "F"
    where = (os.fspath(array.filename), array.dtype, array.mode, array.offset, array.shape, order)
    return (open_map, where) if reduced is None else (map_again, (where, *reduced[1]))


def open_map(
    filename: str, dtype: Any, mode: Any, offset: int, shape: tuple[int, ...], order: Any
) -> np.ndarray:
    """Map a file that is there."""
    return np.memmap(filename, dtype, mode, offset, shape, order)


def map_again(where: tuple[Any, ...], *content: Any) -> np.ndarray:
    """Build an array of what a map held; a map of its file, if a run goes on from here."""
    array = rebuild_array(*content)
    if not _going_on.get():
        return array
    filename, dtype, mode, *rest = where
    if mode != "c":
        mode = "r+" if os.path.exists(filename) else "w+"
    mapped = open_map(filename, dtype, mode, *rest)
    mapped[...] = array
    return mapped
