"""Types of arrays in files: how they are told, stored, and read where NumPy lacks them.

safetensors has no type for complex numbers that all its releases read, nor for dates, text, bytes
in the other order and numbers below a byte. These are stored as their bytes, and the file says
what they are. bfloat16, and the small floats and integers of JAX, torch and ml_dtypes, are read
without any of these, as numbers that NumPy has: exactly, as float32, int8 or uint8.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import numpy as np

DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
"""How safetensors spells the types that every release of it reads."""

ITEMSIZES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4} | dict.fromkeys(
    ("F16", "BF16", "I16", "U16"), 2
)
"""Bytes of an element, by safetensors' type; of those that are not listed, one."""


class _SmallFloat(NamedTuple):
    """A float of at most a byte, in the lowest bits of one.

    Attributes:
        exponent_bits: how many.
        mantissa_bits: how many.
        bias: of the exponent.
        rest: `ieee` has infinities and NaN; `fn` has NaN where all bits are set; `fnuz` has NaN
            where minus zero would be; `finite` has neither.
    """

    exponent_bits: int
    mantissa_bits: int
    bias: int
    rest: str


_SMALL_FLOATS = {
    "float8_e4m3fn": _SmallFloat(4, 3, 7, "fn"),
    "float8_e4m3": _SmallFloat(4, 3, 7, "ieee"),
    "float8_e4m3b11fnuz": _SmallFloat(4, 3, 11, "fnuz"),
    "float8_e4m3fnuz": _SmallFloat(4, 3, 8, "fnuz"),
    "float8_e5m2": _SmallFloat(5, 2, 15, "ieee"),
    "float8_e5m2fnuz": _SmallFloat(5, 2, 16, "fnuz"),
    "float8_e3m4": _SmallFloat(3, 4, 3, "ieee"),
    "float6_e2m3fn": _SmallFloat(2, 3, 1, "finite"),
    "float6_e3m2fn": _SmallFloat(3, 2, 3, "finite"),
    "float4_e2m1fn": _SmallFloat(2, 1, 1, "finite"),
}
_POWERS_OF_TWO = "float8_e8m0fnu"
_SMALL_INTEGERS = {"int1": 1, "int2": 2, "int4": 4, "uint1": 1, "uint2": 2, "uint4": 4}
_OF_A_BYTE = {*_SMALL_FLOATS, _POWERS_OF_TWO, *_SMALL_INTEGERS}
_NUMPYS_OWN = re.compile(r"[<>|=]?[biufcmMSUV]\d{1,9}(\[\w{1,20}\])?", re.ASCII)


@functools.lru_cache
def told_dtype(dtype: np.dtype) -> str | None:
    """Return how a type is told: as safetensors spells it, else by its name; None if by nothing.

    Small floats and integers are known by the names that ml_dtypes gives them.
    """
    if dtype.isnative and dtype.name in DTYPES:
        return DTYPES[dtype.name]
    if dtype.name in _OF_A_BYTE:
        return dtype.name
    is_plain = dtype.isbuiltin != 2 and _NUMPYS_OWN.fullmatch(dtype.str) is not None
    return dtype.str if is_plain and dtype.names is None and dtype.itemsize else None


def stored_as(told: str) -> tuple[str, tuple[int, ...]]:
    """Return the type that the file gives a tensor, and the axes that its shape ends in."""
    if told in ITEMSIZES or told in DTYPES.values():
        return told, ()
    return "U8", () if told in _OF_A_BYTE else (_plain(told).itemsize,)


def numbers(content: np.ndarray, told: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a tensor as an array; of a type that NumPy lacks, exactly, in one that it has.

    Args:
        content: its bytes, shape (nbytes,), uint8.
        told: its type, see `told_dtype`.
        shape: of the tensor.
    """
    told = DTYPES.get(told, told)
    if told == "BF16":
        wide = content.view(np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    name = _NAMES.get(told, told)
    if name in _OF_A_BYTE:
        return _meanings(name)[content].reshape(shape)
    return content.view(_plain(name)).reshape(shape)


def plain_dtype(told: str) -> np.dtype:
    """Return the type in which `numbers` returns arrays.

    Raises:
        ValueError: if no type is told so.
    """
    return numbers(np.empty(0, np.uint8), told, (0,)).dtype


_NAMES = {kind: name for name, kind in DTYPES.items()}


def _plain(name: str) -> np.dtype:
    if name not in _NAMES.values() and _NUMPYS_OWN.fullmatch(name) is None:
        raise ValueError(f"a type {name!r}")
    return np.dtype(name)


@functools.lru_cache
def _meanings(name: str) -> np.ndarray:
    """Return the number that each of 256 bytes stands for, shape (256,)."""
    codes = np.arange(256)
    if name in _SMALL_INTEGERS:
        bits = _SMALL_INTEGERS[name]
        unsigned = codes & ((1 << bits) - 1)
        if name.startswith("u"):
            return unsigned.astype(np.uint8)
        return (unsigned - ((unsigned >> (bits - 1)) << bits)).astype(np.int8)
    if name == _POWERS_OF_TWO:
        return np.where(codes == 255, np.nan, 2.0 ** (codes - 127)).astype(np.float32)
    return _floats(codes, *_SMALL_FLOATS[name])


def _floats(
    codes: np.ndarray, exponent_bits: int, mantissa_bits: int, bias: int, rest: str
) -> np.ndarray:
    sign_bit = 1 << (exponent_bits + mantissa_bits)
    size, top = codes & (sign_bit - 1), (1 << exponent_bits) - 1
    exponent, fraction = (
        size >> mantissa_bits,
        (size & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits),
    )
    value = np.where(
        exponent == 0, fraction * 2.0 ** (1 - bias), (1 + fraction) * 2.0 ** (exponent - bias)
    )
    if rest == "ieee":
        value = np.where(exponent == top, np.where(fraction == 0, np.inf, np.nan), value)
    elif rest == "fn":
        value = np.where(size == sign_bit - 1, np.nan, value)
    value = np.where(codes & sign_bit, -value, value)
    if rest == "fnuz":
        value = np.where(codes == sign_bit, np.nan, value)
    return value.astype(np.float32)
