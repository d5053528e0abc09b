"""What can be read off an environment without stepping it: state that a snapshot would lose.

Looked at are its attributes, how they come back, and the code of its classes (`env_code.py`).
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from garage_like.data.env_layers import layers_of
from garage_like.envs.copy import without_effects
from garage_like.snapshot.env_code import foreign_state, is_unordered
from garage_like.snapshot.graph.parts import parts_function
from garage_like.snapshot.graph.walk import leaf_digest
from garage_like.snapshot.kinds.attributes import is_constant
from garage_like.snapshot.kinds.registry import KINDS

_MOST_OBJECTS = 20_000
_SMALL = 1000


def settings_of(env: Any) -> dict[str, str]:
    """Return plain attributes of an environment's layers, by name: numbers, text, small arrays.

    Layers of gymnasium's and ours apart: what they are set to does not tell how they are saved.
    """
    found: dict[str, str] = {}
    for depth, layer in enumerate(layers_of(env)):
        if type(layer).__module__.partition(".")[0] in ("gymnasium", "garage_like"):
            continue
        for name, value in vars(layer).items() if hasattr(layer, "__dict__") else ():
            if is_constant(value):
                found[f"{depth}.{name}"] = repr(value)
            elif isinstance(value, np.ndarray) and value.size <= _SMALL:
                found[f"{depth}.{name}"] = str(leaf_digest(value))
    return found


def is_like(env: Any, settings: Mapping[str, str]) -> bool:
    """Tell whether an environment has the same settings."""
    own = settings_of(env)
    return all(own.get(name) == value for name, value in settings.items())


# ---- attributes -----------------------------------------------------------------------------


def lost_attribute(env: Any, copy: Callable[[Any], Any]) -> str | None:
    """Return the path of an attribute that a copy does not have as the original has it.

    Objects that cannot be copied by themselves, windows and connections, do not count.
    """
    copied = copy(env)
    ours, theirs = _attributes(env), _attributes(copied)
    without_effects(copied)  # after a look at it as it came back
    missing: list[str] = []
    for path, value in ours.items():
        if path.startswith(tuple(f"{above}{mark}" for above in missing for mark in ".[")):
            continue
        if path in theirs and _named(type(value)) == _named(type(theirs[path])):
            digest = leaf_digest(value)
            if digest is None or digest == leaf_digest(theirs[path]):
                continue
            return path
        if value is None or path.endswith("__"):  # what code is called
            continue
        if _can_be_copied(value, copy):
            return path
        missing.append(path)
    return None


def _named(cls: type) -> tuple[str, str]:
    """Return what a class is called; each module with parametrizations has one of its own."""
    return cls.__module__, cls.__qualname__


def lost_if_changed(env: Any, copy: Callable[[Any], Any]) -> str | None:
    """Return the path of a number that would be lost if it were another one than it is.

    Asked are objects that have a say in how they are pickled. So one that always comes back as it
    was first is told from one that is saved, and one that a class begins with, as a curriculum
    that has not moved yet, is tried as well.
    """
    for path, value in list(_attributes(env).items()):
        if is_constant(value) or not _says_how_it_is_pickled(type(value)):
            continue
        own = vars(value)
        of_classes = (item for cls in type(value).__mro__[-2::-1] for item in vars(cls).items())
        for name, held in {**dict(of_classes), **own}.items():
            if type(held) not in _CHANGES or name.startswith("__"):
                continue
            before = dict(own)
            own[name] = _CHANGES[type(held)](held)
            try:
                copied = copy(env)
                found = _attributes(copied).get(f"{path}.{name}")
                without_effects(copied)
            except Exception:  # of a number that makes no sense to the environment
                continue
            finally:
                own.clear()
                own.update(before)
            if found != _CHANGES[type(held)](held):
                return f"{path}.{name}"
    return None


_CHANGES: dict[type, Callable[[Any], Any]] = {
    bool: lambda value: not value,
    int: lambda value: value + 1,
    float: lambda value: value + 1.0 if np.isfinite(value) else 0.0,
}


def _attributes(env: Any) -> dict[str, Any]:
    """Return all that an environment reaches by attributes and elements, by path."""
    found: dict[str, Any] = {}
    seen: dict[int, Any] = {}
    waiting = collections.deque([("", env)])
    while waiting and len(found) < _MOST_OBJECTS:
        path, value = waiting.popleft()
        cls: Any = type(value)
        if not is_constant(value):
            if id(value) in seen:
                continue
            seen[id(value)] = value
            parts = None if _is_of_a_library(value, path) else parts_function(cls, as_pickled=False)
            waiting += [(path + label, part) for label, part in (parts or _none)(value)]
        found[path] = value
    return found


def _none(_: Any) -> list[tuple[str, Any]]:
    return []


def _is_of_a_library(value: Any, path: str) -> bool:
    """Tell whether an object is a space or a generator: those are known to come back."""
    return isinstance(value, np.random.Generator | np.random.RandomState) or (
        type(value).__module__.startswith("gymnasium.spaces")
    )


def _says_how_it_is_pickled(cls: type) -> bool:
    if KINDS.knows(cls) or not cls.__dictoffset__:
        return False
    for name in ("__getstate__", "__setstate__", "__reduce__", "__reduce_ex__"):
        for base in cls.__mro__:
            if name in vars(base):
                if base is not object and not KINDS.knows(base):
                    return True
                break
    return False


def _can_be_copied(value: Any, copy: Callable[[Any], Any]) -> bool:
    try:
        copy(value)
    except Exception:
        return False
    return True


# ---- order and code -------------------------------------------------------------------------


def why_lost(env: Any) -> str | None:
    """Return what an environment depends on that is another in each process, or not saved."""
    attributes = _attributes(env)
    return foreign_state(env, attributes) or _order_of_sets(attributes)


def _order_of_sets(attributes: Mapping[str, Any]) -> str | None:
    """Return why the order of a set that an environment holds is another in each process."""
    for path, value in attributes.items():
        if isinstance(value, set | frozenset) and len(value) > 1:
            kinds = sorted({type(element).__name__ for element in value if is_unordered(element)})
            if kinds:
                return (
                    f"its attribute {path.lstrip('.')} is a set of {', '.join(kinds)}, whose order"
                    " is another in each process; keep a list or a dict"
                )
    return None
