"""Namespace: the names of a script, as the objects of a run.

Modules, classes and functions are code, which the script brings along; everything else is state.
"""

from __future__ import annotations
import __future__

import functools
import sys
import types
from collections.abc import Callable, Collection, Iterable, MutableMapping
from typing import Any

from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.graph.pickling import GraphPickler
from garage_like.snapshot.kinds.environments import EnvStates

_CODE = (
    *(types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType),
    *(types.GenericAlias, __future__._Feature, type(functools.lru_cache(len))),
)


class Objects:
    """The objects of a script, each under its name: what stands in the place of an algorithm."""


class Namespace:
    """Read a script's state from its names, and put a restored one there.

    Args:
        names: where the script's names are bound, such as `globals()`.
        skip: names that are left out.

    Raises:
        TypeError: if names cannot be bound there.
        ValueError: if there is nothing of a name that is to be skipped.
    """

    def __init__(self, names: MutableMapping[str, Any], skip: Iterable[str] = ()) -> None:
        if not isinstance(names, MutableMapping):
            raise TypeError(
                "epochs: state must be a namespace whose names can be bound, such as globals() or"
                f" vars(bag); got {names!r}"
            )
        self.skip = [skip] if isinstance(skip, str) else list(skip)
        unknown = [name for name in self.skip if name not in names]
        if unknown:
            raise ValueError(f"epochs: skip names {', '.join(unknown)}, which state does not hold")
        self._names = names
        self.objects = Objects()

    def holds(self, names: Any) -> bool:
        """Tell whether a dict is the one in which the names are bound."""
        return self._names is names

    def read(self) -> Objects:
        """Return the objects as they are bound now."""
        found = vars(self.objects)
        found.clear()
        found.update(
            (name, value)
            for name, value in self._names.items()
            if not name.startswith("__") and name not in self.skip and not is_code(value)
        )
        return self.objects

    def write(self, restored: Objects) -> None:
        """Bind the names to what was restored; those that are skipped stay as they are."""
        self.objects = restored
        for name, value in vars(restored).items():
            if name not in self.skip:
                self._names[name] = value

    def why_unsavable(self, error: Exception, known: EnvStates) -> str:
        """Name what cannot be saved, and say what can be done about it."""
        bad = [name for name, value in vars(self.read()).items() if not _can_save(value, known)]
        if not bad:
            return str(error)
        kinds = ", ".join(f"{name!r} ({type(self._names[name]).__name__})" for name in bad)
        wanted = [*self.skip, *bad]
        cause = error.__cause__ or error
        return (
            f"epochs: {kinds} cannot be saved: {type(cause).__name__}: {cause}. If the script makes"
            f" it anew each time it starts, leave it out: skip={wanted!r}"
        )


def is_code(value: Any) -> bool:
    """Tell whether a value is part of the script, or of how its run is kept, and no state."""
    if isinstance(value, (*_CODE, SnapshotConfig, EpochsIterator)):
        return True
    if type(value).__module__ == "typing":
        return True
    try:  # what a decorator made of a function: jitted, cached
        return callable(value) and isinstance(value.__wrapped__, types.FunctionType)
    except Exception:  # whatever the attribute access of a foreign object raises
        return False


class EpochsIterator:
    """The loop itself, if the script has a name for it.

    Args:
        begin: starts going through the epochs.
    """

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin

    def __iter__(self) -> Any:
        """Begin, or go on where an earlier start of the script came to."""
        return self._begin()


def _can_save(value: Any, known: EnvStates) -> bool:
    try:
        GraphPickler({"value": value}, keep_live=False, env_states=known).save()
    except Exception:
        return False
    return True


def refuse_locals(names: Any, frame: types.FrameType | None) -> None:
    """Raise if names are those of a function, which cannot be bound from outside.

    Raises:
        TypeError: if so.
    """
    if frame is None or not isinstance(names, dict) or names is frame.f_globals:
        return
    code = frame.f_code
    if not code.co_flags & 1 or not names:  # of a module or a class body
        return
    own: Collection[str] = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    local = frame.f_locals
    if set(names) <= set(own) and all(local.get(k) is v for k, v in names.items()):
        raise TypeError(
            "epochs: state is the locals() of a function, and what is bound there does not reach"
            " its variables; keep them in an object, bag = types.SimpleNamespace(...), and pass"
            " vars(bag)"
        )


def caller(depth: int) -> types.FrameType | None:
    """Return the frame of a caller."""
    try:
        return sys._getframe(depth + 1)
    except ValueError:
        return None
