"""Reading pickled statistics as data: nothing that the file names is imported or called.

Stable-Baselines3 keeps the statistics of observations in a pickle. A pickle is a program that calls
what it names; here every name stands for an inert object that only remembers what it was given, but
for the few that NumPy's arrays and numbers are made of, which are computed by the code below.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, ClassVar

import numpy as np

MAX_BYTES = 1 << 28
_KINDS = "biufc"


class Inert:
    """Stand for an object of a class that was not imported.

    Attributes:
        name: module and name of the class.
        state: what the object's attributes were, or None.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        """Keep the state, and do nothing with it."""
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        """Drop an item of a mapping that is not known."""

    def append(self, value: Any) -> None:
        """Drop an item of a list that is not known."""

    def extend(self, values: Any) -> None:
        """Drop items of a list that is not known."""

    def attribute(self, name: str) -> Any:
        """Return an attribute as it was pickled, or None."""
        return self.state.get(name) if isinstance(self.state, dict) else None


class _Array:
    """An array whose content comes after it, in its state."""

    value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, content = state
        if not _is_of_numbers(dtype):
            return
        order: Any = "F" if is_fortran else "C"
        self.value = np.frombuffer(content, _dtype(dtype)).reshape(shape, order=order).copy()


class _DType:
    """A type of numbers; its byte order comes after it, in its state."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order: Any = "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in "<>" else "="


class _Class:
    """A name of the file: makes inert objects, whatever it is called with."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Inert(self._name)


def _is_of_numbers(found: Any) -> bool:
    return isinstance(found, _DType) and np.dtype(found.code).kind in _KINDS


def _dtype(found: _DType) -> np.dtype:
    return np.dtype(found.code).newbyteorder(found.order)


def _make_dtype(code: Any, *_: Any) -> _DType:
    return _DType(str(code))


def _make_array(*_: Any) -> _Array:
    return _Array()


def _make_scalar(dtype: Any, content: bytes = b"") -> Any:
    return np.frombuffer(content, _dtype(dtype))[0] if _is_of_numbers(dtype) else Inert("scalar")


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> Any:
    if not _is_of_numbers(dtype):
        return Inert("array")
    return np.frombuffer(content, _dtype(dtype)).reshape(shape, order=order).copy()


def _new_object(cls: Any, *_: Any) -> Any:
    return cls() if isinstance(cls, _Class) else Inert(str(cls))


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1" if encoding == "latin1" else "utf-8")


_KNOWN: dict[str, Any] = {
    "numpy.dtype": _make_dtype,
    "numpy.core.multiarray._reconstruct": _make_array,
    "numpy._core.multiarray._reconstruct": _make_array,
    "numpy.core.multiarray.scalar": _make_scalar,
    "numpy._core.multiarray.scalar": _make_scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "numpy._core.numeric._frombuffer": _from_buffer,
    "collections.OrderedDict": OrderedDict,
    "copyreg._reconstructor": _new_object,
    "copy_reg._reconstructor": _new_object,
    "_codecs.encode": _encode,
}


# The interpreter in Python: the one in C builds objects in ways that cannot be overridden.
_Interpreter: Any = vars(pickle)["_Unpickler"]


class _Unpickler(_Interpreter):
    """Take every name for an inert object."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Interpreter.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        qualified = f"{module}.{name}"
        return _KNOWN.get(qualified, _Class(qualified))

    def get_extension(self, code: int) -> None:
        raise pickle.UnpicklingError("a pickle that names classes by numbers is not read")

    def load_newobj(self) -> None:
        self.stack.pop()
        self.append(_new_object(self.stack.pop()))

    def load_newobj_ex(self) -> None:
        self.stack.pop()
        self.load_newobj()

    def load_build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Inert | _Array | _DType):
            self.stack[-1].__setstate__(state)

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex


def read_inert(content: bytes) -> Any:
    """Return what a pickle holds: plain values, arrays, and Inert objects for all else.

    Raises:
        ValueError: if it is no pickle, is damaged, or is too large.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"a pickle of {len(content)} bytes is not read, {MAX_BYTES} at most")
    try:
        return _Unpickler(io.BytesIO(content)).load()
    except Exception as error:
        raise ValueError(f"not a pickle that can be read as data: {error!r}") from error


def array_of(value: Any) -> np.ndarray | None:
    """Return an array or a number of an inert pickle as an array of float64, or None."""
    found = value.value if isinstance(value, _Array) else value
    if isinstance(found, np.ndarray | np.generic | int | float):
        return np.asarray(found, np.float64)
    return None
