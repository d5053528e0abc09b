"""What the process itself holds, and code of the run's may change: places like those of modules."""

from __future__ import annotations

import contextvars
import decimal
import os
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np


class Setting(NamedTuple):
    """The owner of a value that is read and set by calls."""

    get: Callable[[], Any]
    set: Callable[[Any], Any]


def _set_numpy_errors(found: dict[str, Any]) -> None:
    np.seterr(**found)


SETTINGS = {
    "decimal.getcontext()": Setting(decimal.getcontext, decimal.setcontext),
    "numpy.geterr()": Setting(np.geterr, _set_numpy_errors),
    "sys.getrecursionlimit()": Setting(sys.getrecursionlimit, sys.setrecursionlimit),
}


def variable_of(name: str) -> Setting:
    """Return how a variable of the process's environment is read and set; None: it is not there."""

    def bind(value: str | None) -> None:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

    return Setting(lambda: os.environ.get(name), bind)


def variables_named(names: Iterable[str], texts: Iterable[str]) -> Iterator[tuple[str, Setting]]:
    """Yield variables of the environment that code names beside `environ` or `putenv`."""
    if {"environ", "putenv"}.intersection(names):
        for text in texts:
            yield f"os.environ['{text}']", variable_of(text)


def parts_of_holder(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield label, value and owner of what a holder that cannot be pickled shows to this thread."""
    if isinstance(value, threading.local):
        for name, held in list(vars(value).items()):
            yield f".{name}", held, value
    elif isinstance(value, contextvars.ContextVar):
        yield ".get()", _current(value), Setting(lambda: _current(value), value.set)


def _current(variable: contextvars.ContextVar[Any]) -> Any:
    """Return what a variable is to whoever asks: its default, too; None if there is neither."""
    try:
        return variable.get()
    except LookupError:
        return None


def state_of_generator(value: Any) -> Any:
    """Return what tells how far a generator is that has begun; it cannot be saved itself."""
    if isinstance(value, types.GeneratorType) and value.gi_frame is not None:
        return value.gi_frame.f_lasti, dict(value.gi_frame.f_locals)
    return None
