"""NumPy arrays out of band: which memory they cover, and how they are built again.

An array that is a view keeps sharing memory with the array it views, and one that looks at a torch
tensor keeps looking at it: both are lost by plain pickling.
"""

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class View:
    """One named array within a buffer.

    Attributes:
        owner: the array or tensor, by which its name in the object graph is found.
        dtype: name as safetensors spells it, or None if it knows no such type.
        shape: of the array.
        start: first byte within the buffer.
        nbytes: how many bytes it covers.
        contiguous: whether it covers them in C order without gaps.
    """

    owner: Any
    dtype: str | None
    shape: tuple[int, ...]
    start: int
    nbytes: int
    contiguous: bool = True


SAFETENSORS_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def is_plain_array(value: Any) -> bool:
    """Tell whether a value is an array whose bytes are its content."""
    return type(value) is np.ndarray and not value.dtype.hasobject and value.nbytes > 0


def owner_of(array: np.ndarray) -> Any:
    """Return what owns an array's memory: itself, a bigger array, or a foreign object."""
    base: Any = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return base


def view_arguments(array: np.ndarray, base: np.ndarray) -> tuple[Any, ...]:
    """Return what `rebuild_view` needs: dtype, shape, offset, strides, writeable."""
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return array.dtype, array.shape, offset, array.strides, array.flags.writeable


def is_within(array: np.ndarray, base: np.ndarray) -> bool:
    """Tell whether all of an array's memory lies within its base's, as for any ordinary view."""
    low, high = np.lib.array_utils.byte_bounds(array)
    base_low, base_high = np.lib.array_utils.byte_bounds(base)
    return base_low <= low and high <= base_high


def rebuild_array(
    buffer: Any, dtype: np.dtype, shape: tuple[int, ...], order: str, writeable: bool
) -> np.ndarray:
    """Build an array that owns its memory, as the saved one did."""
    flat = np.frombuffer(buffer, dtype)
    array = np.empty(shape, dtype, order=order)  # type: ignore[call-overload]
    array.reshape(-1, order=order)[...] = flat
    array.flags.writeable = writeable
    return array


def rebuild_view(
    base: np.ndarray,
    dtype: np.dtype,
    shape: tuple[int, ...],
    offset: int,
    strides: tuple[int, ...],
    writeable: bool,
) -> np.ndarray:
    """Build an array that shares memory with `base`."""
    memory = base.reshape(-1, order="A").view(np.uint8)
    view = np.ndarray(shape, dtype, memory, offset, strides)
    view.flags.writeable = writeable and base.flags.writeable
    return view


def reduce_array(array: np.ndarray) -> tuple[Any, ...] | None:
    """Return how pickle saves an array that owns its memory, or None if NumPy knows better."""
    if array.flags.c_contiguous:
        order = "C"
    elif array.flags.f_contiguous:
        order = "F"
    else:
        return None
    memory = np.frombuffer(array.reshape(-1, order=order).view(np.uint8), np.uint8)  # type: ignore[call-overload]
    return rebuild_array, (
        pickle.PickleBuffer(memory.data),
        array.dtype,
        array.shape,
        order,
        array.flags.writeable,
    )


def view_of(array: np.ndarray) -> View:
    """Describe an array that fills a whole buffer."""
    shape = array.shape if array.flags.c_contiguous else (array.size,)
    return View(array, SAFETENSORS_DTYPES.get(array.dtype.name), shape, 0, array.nbytes)
