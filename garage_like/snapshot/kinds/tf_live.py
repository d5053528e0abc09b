"""Restoring into the TensorFlow variables that a process already has.

A traced function holds the variables that it reads, and traces outlive what an object's attributes
point at. So a live variable is kept and gets the saved value, once everything else has loaded.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np


def runtime_module() -> Any:
    """Return the module that loads TensorFlow as this process did: quietly, on one thread, or not.

    It is pickled by name in front of everything of TensorFlow's, so that a restore loads it first.
    """
    return sys.modules.get("garage_like.tf.quiet_import") or sys.modules["tensorflow"]


class _Restore(NamedTuple):
    """One restore: what may still be restored into, and what is to be assigned at its end."""

    variables: dict[str, Any]
    assignments: list[tuple[Any, np.ndarray]]


_restore: contextvars.ContextVar[_Restore | None] = contextvars.ContextVar("restore", default=None)


@contextlib.contextmanager
def offering(objects: Iterable[tuple[str, Any]]) -> Iterator[None]:
    """Offer live variables; those that were taken get their values at the end.

    Args:
        objects: live ones, with their paths: looked through for variables if TensorFlow is loaded.
    """
    if not hasattr(sys.modules.get("tensorflow"), "Variable"):
        yield
        return
    restore = _Restore({path: value for path, value in objects if is_eager_variable(value)}, [])
    token = _restore.set(restore)
    try:
        yield
    finally:
        _restore.reset(token)
    with eager(sys.modules["tensorflow"]):
        for variable, value in restore.assignments:
            variable.assign(value)


def is_eager_variable(value: Any) -> bool:
    """Tell whether a value is a variable of TensorFlow's that holds its numbers in this process."""
    tf = sys.modules["tensorflow"]
    return isinstance(value, tf.Variable) and hasattr(getattr(value, "handle", None), "numpy")


def take(path: str, dtype: str, shape: tuple[int, ...]) -> Any:
    """Return the live variable at a path, if it can hold such a value."""
    restore = _restore.get()
    found = None if restore is None else restore.variables.get(path)
    if found is None or found.dtype.name != dtype or not found.shape.is_compatible_with(shape):
        return None
    return found


def assign_later(variable: Any, value: np.ndarray) -> None:
    """Give a live variable its value when the restore has succeeded."""
    restore = _restore.get()
    if restore is not None:
        restore.assignments.append((variable, value))


def eager(tf: Any) -> contextlib.AbstractContextManager[Any]:
    """Make variables that hold their values themselves, inside a graph of version 1 too."""
    if tf.executing_eagerly():
        return contextlib.nullcontext()
    from tensorflow.python.eager import context

    return context.eager_mode()
