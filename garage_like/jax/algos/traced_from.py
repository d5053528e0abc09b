"""What a program was traced from: tracing it again yields the same as long as that is the same.

Values are told by a digest; code by the files that it was loaded from, as Python itself tells
whether a file was compiled already: by its size and when it was written. What a trace reads beside
values, files, globals of the user's own modules and JAX's settings is not seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import marshal
import os
import sys
import time
import types
from pathlib import Path
from typing import Any

import cloudpickle
import jax
import numpy as np

Files = dict[str, tuple[int, int]]
"""Size and time of writing, by path."""

MOST_BYTES = 1 << 26
_OF_PYTHON = os.path.dirname(os.__file__) + os.sep
_OF_OTHERS = ("site-packages", "dist-packages")
_LOCAL = "<locals>"  # in the name of what was made while a function ran: no file tells all of it
_HOLDS = ("__func__", "fget", "func", "__wrapped__")  # where methods of other kinds have theirs
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


def _began() -> int:
    """Return when this process began, in nanoseconds since 1970; or the time, if nothing tells."""
    with contextlib.suppress(OSError, AttributeError, IndexError, ValueError):
        ticks = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        since = (int(ticks) + 1) / os.sysconf("SC_CLK_TCK")  # the machine was started
        return time.time_ns() - int(1e9 * (time.clock_gettime(time.CLOCK_BOOTTIME) - since))
    return time.time_ns()


_STARTED = _began()


def digest_of(read: Any, arguments: Any) -> str | None:
    """Return a digest of all values that a trace may read; None if it cannot be told.

    Args:
        read: what the traced function holds.
        arguments: only their structure, types, shapes and places count.
    """
    main = sys.modules.get("__main__")
    if getattr(main, "__file__", None) is None:  # code that stands in no file
        return None
    leaves, structure = jax.tree.flatten(arguments)
    told = (
        read,
        {name: getattr(jax.config, name, None) for name in sorted(jax.config.values)},
        (str(structure), [_told_of(leaf) for leaf in leaves]),
    )
    content = io.BytesIO()
    pickler = _Teller(content)
    pickler.fast = True  # whether equal values are one object does not count
    try:
        pickler.dump(told)
    except Exception:  # nothing is lost: the program is traced to find it
        return None
    return hashlib.blake2b(content.getbuffer(), digest_size=16).hexdigest()


def loaded_files() -> Files | None:
    """Return the files of all code that was loaded; None if one was written since."""
    found: Files = {}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and (
            not path.startswith(_OF_PYTHON) or any(name in path for name in _OF_OTHERS)
        ):
            stamp = _stamp(path)
            if stamp is not None and stamp[1] > _STARTED:
                return None
            if stamp is not None:
                found[path] = stamp
    return found


def are_unchanged(files: Files) -> bool:
    """Tell whether all files are as they were."""
    return all(_stamp(path) == stamp for path, stamp in files.items())


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _told_of(leaf: Any) -> tuple[Any, ...]:
    placed = getattr(leaf, "sharding", None), getattr(leaf, "committed", None)
    return leaf.shape, str(leaf.dtype), getattr(leaf, "weak_type", None), *map(str, placed)


class _Teller(cloudpickle.CloudPickler):
    """Pickle values to tell them apart, not to load them: code by its name and what it carries."""

    def reducer_override(self, value: Any) -> Any:
        if value is _as_told:
            return NotImplemented
        if isinstance(value, type):
            says = [(cls.__qualname__, _said_by(cls)) for cls in value.__mro__[:-1]]
            return _as_told, (value.__module__, says)
        if isinstance(value, types.FunctionType):
            told = (value.__module__, marshal.dumps(value.__code__), _carried_by(value))
            return _as_told, told
        if isinstance(value, types.ModuleType):
            return _as_told, (value.__name__,)
        if getattr(value, "nbytes", 0) > MOST_BYTES:
            raise ValueError("too large to be gone through")
        return super().reducer_override(value)


def _said_by(cls: type) -> list[tuple[str, Any]]:
    """Return what a class says: numbers, texts, arrays, what its methods carry, else the name."""
    return [
        (name, _said(value, cls))
        for name, value in vars(cls).items()
        if not name.startswith("__") or isinstance(value, types.FunctionType)
    ]  # Python notes things of its own under other such names, when it first needs them


def _said(value: Any, cls: type) -> Any:
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    if isinstance(value, tuple | list):
        return tuple(_said(one, cls) for one in value)
    if isinstance(value, np.generic) or type(value) in _PLAIN:
        return repr(value)
    if isinstance(value, np.ndarray | jax.Array):
        return value
    held = (value, *(getattr(value, name, None) for name in _HOLDS))
    function = next((one for one in held if isinstance(one, types.FunctionType)), None)
    if function is not None and _LOCAL in function.__code__.co_qualname:
        return function.__qualname__, function.__code__.co_firstlineno, _carried_by(function, cls)
    named = getattr(value, "__qualname__", None)
    return named if isinstance(named, str) else type(value).__qualname__


def _carried_by(function: types.FunctionType, owner: type = object) -> tuple[Any, ...]:
    """Return a function's defaults and what it closes over; of its own class, the name."""
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    held = {name: _content(cell) for name, cell in zip(names, cells, strict=True)}
    for name, value in held.items():
        if name == "__class__" or value is owner:
            held[name] = value.__qualname__
    return function.__defaults__, function.__kwdefaults__, held


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _as_told(*told: Any) -> Any:
    return told
