"""What stands for objects of libraries that are not installed here, where only a part is wanted."""

from __future__ import annotations

import contextlib
import contextvars
import importlib
from collections.abc import Iterator
from typing import Any

_may_be_absent: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "may_be_absent", default=False
)


class Absent:
    """Stand for an object whose class cannot be imported: hold its attributes, do nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Absent:
        """Take any arguments."""
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        """Keep attributes; what else there is to the state is not told apart from them."""
        if isinstance(state, dict):
            vars(self).update((str(name), value) for name, value in state.items())

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take what a dictionary holds."""

    def append(self, value: Any) -> None:
        """Take what a list holds."""

    def extend(self, values: Any) -> None:
        """Take what a list holds."""


@contextlib.contextmanager
def classes_may_be_absent() -> Iterator[None]:
    """Let graphs be loaded though classes in them cannot be imported."""
    token = _may_be_absent.set(True)
    try:
        yield
    finally:
        _may_be_absent.reset(token)


def module_or_stand_in(name: str) -> Any:
    """Return a module; what stands for it if it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return Absent()


def loaders() -> dict[tuple[str, str], Any]:
    """Return what an unpickler puts in place of functions that import modules."""
    name = ("cloudpickle.cloudpickle", "subimport")
    return {name: module_or_stand_in} if _may_be_absent.get() else {}


def stand_in(module: str, name: str) -> Any:
    """Return what stands for a class that cannot be imported; None if it must be there."""
    if not _may_be_absent.get():
        return None
    return type(name.rpartition(".")[2], (Absent,), {"__module__": module})
