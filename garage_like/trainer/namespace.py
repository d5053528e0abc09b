"""Namespace: the names of a script, as the objects of a run.

Modules, classes and functions are code, which the script brings along; everything else is state.
"""

from __future__ import annotations
import __future__

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.graph.loop_locals import FunctionNames
from garage_like.snapshot.graph.pickling import GraphPickler
from garage_like.snapshot.graph.places import Place, carried_by
from garage_like.snapshot.graph.walk import unpicklable_chain
from garage_like.snapshot.kinds.environments import EnvStates

_CODE = (
    *(types.ModuleType, type, types.BuiltinFunctionType),
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
        """Tell whether names are those of the script's state."""
        ours = self._names
        if isinstance(names, FunctionNames) and isinstance(ours, FunctionNames):
            return names.frame is ours.frame
        return ours is names

    def places_in_functions(self) -> dict[str, Place]:
        """Return what functions hold that have a name here alone, but for what has one itself."""
        if self._names is vars(sys.modules["__main__"]):
            return {}  # which are found there
        functions = [v for v in self._names.values() if isinstance(v, types.FunctionType)]
        shared = self._names.shared if isinstance(self._names, FunctionNames) else ()
        places = carried_by(functions) if functions else {}
        return {
            name: place
            for name, place in places.items()
            if not (place.name in shared and self._names.get(place.name) is place.value)
        }

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
        held = {name: self._names[name] for name in bad}
        inside = unpicklable_chain(held, lambda value: _can_save(value, known))
        where = f"{inside[-1][0]}: " if len(inside) > 1 else ""
        return (
            f"epochs: {kinds} cannot be saved: {where}{type(cause).__name__}: {cause}. If the"
            f" script makes it again each time it starts, leave it out: skip={wanted!r}"
        )


def is_code(value: Any) -> bool:
    """Tell whether a value is part of the script, or of how its run is kept, and no state.

    What goes around a method of an object, `torch.compile(agent.act)` say, belongs to that object.
    """
    if isinstance(value, types.FunctionType):
        return not isinstance(vars(value).get("__wrapped__"), types.MethodType)
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
        values: what the script calls them; None: 0, 1, 2 and so on.
    """

    def __init__(self, begin: Callable[[], Any], values: range | None = None) -> None:
        self._begin, self._values = begin, values

    def __iter__(self) -> Any:
        """Begin, or go on where an earlier start of the script came to."""
        epochs = self._begin()
        return epochs if self._values is None else map(self._values.__getitem__, epochs)


def _can_save(value: Any, known: EnvStates) -> bool:
    try:
        GraphPickler({"value": value}, keep_live=False, env_states=known).save()
    except Exception:
        return False
    return True


def names_in(state: Any, frame: types.FrameType | None) -> Any:
    """Return where names are bound: for the `locals()` of a function, its variables themselves.

    Args:
        state: what the script gave.
        frame: of the function that called, or was called by the one whose variables these are.
    """
    while frame is not None and isinstance(state, dict) and state:
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED and _is_locals(state, frame):
            return FunctionNames(frame)
        frame = frame.f_back
    return state


def _is_locals(state: dict[str, Any], frame: types.FrameType) -> bool:
    found = frame.f_locals
    if sys.version_info < (3, 13):
        return found is state
    return len(state) == len(found) and all(k in found and found[k] is v for k, v in state.items())


def caller(depth: int) -> types.FrameType | None:
    """Return the frame of a caller."""
    try:
        return sys._getframe(depth + 1)
    except ValueError:
        return None
