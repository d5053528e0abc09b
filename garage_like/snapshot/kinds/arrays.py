"""NumPy arrays out of band: which memory they look at, and how they are built again.

An array that is a view keeps sharing memory with the array it views, and one that looks at a torch
tensor keeps looking at it: both are lost by plain pickling.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from garage_like.snapshot.disk.dtypes import told_dtype


class View(NamedTuple):
    """One array within a piece of memory.

    Attributes:
        owner: the array or tensor, by which its name in the object graph is found.
        dtype: as `disk.dtypes.told_dtype` tells it; None: as bytes.
        shape: of the array.
        start: first byte within the memory.
        nbytes: bytes of its elements.
        axes: from the slowest to the fastest in memory; None if it leaves gaps or repeats elements.
    """

    owner: Any
    dtype: str | None
    shape: tuple[int, ...]
    start: int
    nbytes: int
    axes: tuple[int, ...] | None


_IN_ORDER = tuple(range(64))


def is_plain_array(value: Any) -> bool:
    """Tell whether a value is an array whose bytes are its content, and there are any."""
    return (
        (type(value) is np.ndarray or type(value) is np.memmap)
        and not value.dtype.hasobject
        and value.nbytes > 0
    )


def axes_in_memory(
    shape: Sequence[int], strides: Sequence[int], itemsize: int
) -> tuple[int, ...] | None:
    """Return the axes from the slowest to the fastest if elements lie side by side, else None.

    Args:
        shape: of the array.
        strides: in the unit that `itemsize` is given in.
        itemsize: distance between neighbours.
    """
    in_order = tuple(range(len(shape)))
    if _side_by_side(shape, strides, itemsize, in_order):
        return in_order
    by_stride = tuple(sorted(in_order, key=lambda axis: -strides[axis]))
    return by_stride if _side_by_side(shape, strides, itemsize, by_stride) else None


def _side_by_side(
    shape: Sequence[int], strides: Sequence[int], itemsize: int, axes: tuple[int, ...]
) -> bool:
    distance = itemsize
    for axis in reversed(axes):
        if shape[axis] != 1:
            if strides[axis] != distance:
                return False
            distance *= shape[axis]
    return True


def address(array: np.ndarray) -> int:
    """Return where an array's first element lies."""
    start: int = array.__array_interface__["data"][0]
    return start


def whole_array(array: np.ndarray) -> np.ndarray:
    """Return the array that an array is a view of, or itself if it is none."""
    whole, base = array, array.base
    while isinstance(base, np.ndarray) and is_plain_array(base) and _is_within(array, base):
        whole, base = base, base.base
    return whole


def _is_within(array: np.ndarray, whole: np.ndarray) -> bool:
    if axes_in_memory(whole.shape, whole.strides, whole.itemsize) is None:
        return False
    low, high = np.lib.array_utils.byte_bounds(array)
    start = address(whole)
    return start <= low and high <= start + whole.nbytes


def memory_of(array: np.ndarray) -> np.ndarray:
    """Return the bytes of an array without gaps in the order of memory, shape (nbytes,): a view."""
    axes = axes_in_memory(array.shape, array.strides, array.itemsize)
    if axes is None:
        raise ValueError("memory_of: expected an array without gaps")
    return array.transpose(axes).reshape(-1).view(np.uint8)


def reduce_array(array: np.ndarray) -> tuple[Any, ...]:
    """Return how pickle saves an array without gaps that shares nobody's memory."""
    axes = axes_in_memory(array.shape, array.strides, array.itemsize)
    memory = pickle.PickleBuffer(memory_of(array).data)
    return rebuild_array, (memory, array.dtype, array.shape, axes, array.flags.writeable)


def reduce_whole(array: np.ndarray) -> tuple[Any, ...]:
    """Do what `reduce_array` does for an array in C order."""
    dtype, axes = array.dtype, _IN_ORDER[: array.ndim]
    # Of dates, records and others' types NumPy hands out no buffers.
    has_buffers = dtype.isbuiltin == 1 and dtype.kind in "biufc"
    content = array.data if has_buffers else memory_of(array).data
    memory = pickle.PickleBuffer(content)
    return rebuild_array, (memory, _told(dtype), array.shape, axes, array.flags.writeable)


@functools.lru_cache
def _told(dtype: np.dtype) -> Any:
    """Return what says which type this is: its short name if that is all that there is to it."""
    name: str = dtype.str
    return name if dtype.isbuiltin == 1 and np.dtype(name) is dtype else dtype


def view_of_whole(array: np.ndarray) -> View:
    """Do what `view_of` does for an array in C order that owns its memory."""
    dtype = told_dtype(array.dtype)
    return View(array, dtype, array.shape, 0, array.nbytes, _IN_ORDER[: array.ndim])


def rebuild_array(
    buffer: Any,
    dtype: np.dtype | str,
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    writeable: bool,
) -> np.ndarray:
    """Build an array that owns its memory and lays its axes out as the saved one did."""
    array = np.empty(stored_shape(shape, axes), dtype)
    if axes != tuple(range(len(shape))):
        array = np.empty_like(array.transpose(np.argsort(axes)))
    memory_of(array)[...] = np.frombuffer(buffer, np.uint8)
    array.flags.writeable = writeable
    return array


def rebuild_view(
    memory: np.ndarray,
    dtype: np.dtype,
    shape: tuple[int, ...],
    offset: int,
    strides: tuple[int, ...],
    writeable: bool,
) -> np.ndarray:
    """Build an array that shares memory with an array without gaps, `offset` bytes into it."""
    view: np.ndarray = np.ndarray(shape, dtype, memory_of(memory), offset, strides)
    view.flags.writeable = writeable and memory.flags.writeable
    return view


def view_arguments(array: np.ndarray, start: int) -> tuple[Any, ...]:
    """Return what `rebuild_view` needs; `start` is the address of the memory."""
    offset = address(array) - start
    return array.dtype, array.shape, offset, array.strides, array.flags.writeable


def view_of(array: np.ndarray, start: int) -> View:
    """Describe an array within the memory that begins at address `start`."""
    dtype = told_dtype(array.dtype)
    axes = axes_in_memory(array.shape, array.strides, array.itemsize)
    return View(array, dtype, array.shape, address(array) - start, array.nbytes, axes)


def view_of_bytes(owner: Any, nbytes: int) -> View:
    """Describe an object within memory that holds just its bytes."""
    return View(owner, "U8", (nbytes,), 0, nbytes, (0,))


def stored_shape(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Return the shape that an array has when its axes are put in the order of memory."""
    return tuple(shape[axis] for axis in axes)


@functools.lru_cache
def name_suffix(axes: tuple[int, ...]) -> str:
    """Return what to call an array with its axes in the order of memory: `.T`, if reversed, say."""
    in_order = tuple(range(len(axes)))
    if axes == in_order:
        return ""
    if axes == in_order[::-1]:
        return ".T"
    return f".transpose({', '.join(map(str, axes))})"


def as_the_run_sees_them(stored: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn arrays that are stored as their memory runs back to the order of axes in the run.

    Args:
        stored: with their axes in the order of memory, and names as `name_suffix` ends them.
    """
    return dict(_as_the_run_sees_it(name, array) for name, array in stored.items())


def _as_the_run_sees_it(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    if name.endswith(".T"):
        return name.removesuffix(".T"), array.T
    stem, found, axes = name.partition(".transpose(")
    if not found:
        return name, array
    order = np.argsort([int(axis) for axis in axes.rstrip(")").split(",")])
    return stem, array.transpose(order)
