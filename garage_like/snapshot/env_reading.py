"""What can be read off an environment without stepping it: state that a snapshot would lose.

Looked at are its attributes, how they come back, and the code of its classes.
"""

from __future__ import annotations

import collections
import dis
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from garage_like.data.env_layers import layers_of
from garage_like.envs.copy import without_effects
from garage_like.snapshot.graph.parts import parts_function
from garage_like.snapshot.graph.walk import leaf_digest
from garage_like.snapshot.kinds.attributes import is_constant
from garage_like.snapshot.kinds.registry import KINDS

_MOST_OBJECTS = 20_000
_SMALL = 1000
_IDENTITIES = ("id", "hash")
_OF_OBJECTS = ("__hash__", "__eq__", "__repr__", "__deepcopy__", "__del__")


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
        if path in theirs and type(value) is type(theirs[path]):
            digest = leaf_digest(value)
            if digest is None or digest == leaf_digest(theirs[path]):
                continue
            return path
        if value is None:
            continue
        if _can_be_copied(value, copy):
            return path
        missing.append(path)
    return None


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


# ---- order and identity ---------------------------------------------------------------------


def order_of_sets(env: Any) -> str | None:
    """Return why the order of a set that an environment holds is another in each process."""
    for path, value in _attributes(env).items():
        if isinstance(value, set | frozenset) and len(value) > 1:
            kinds = sorted({type(element).__name__ for element in value if _is_unordered(element)})
            if kinds:
                return (
                    f"its attribute {path.lstrip('.')} is a set of {', '.join(kinds)}, whose order"
                    " is another in each process; keep a list or a dict"
                )
    return None


def _is_unordered(value: Any) -> bool:
    if isinstance(value, tuple | frozenset):
        return any(map(_is_unordered, value))
    if isinstance(value, str | bytes):
        return bool(sys.flags.hash_randomization)
    return type(value).__hash__ is object.__hash__ or isinstance(value, type)


# ---- code -----------------------------------------------------------------------------------


def foreign_state(env: Any) -> str | None:
    """Return what the code of an environment's own classes depends on and no snapshot holds."""
    for function in _functions(env):
        space = function.__globals__
        for name in _names_looked_up(function.__code__, "LOAD_GLOBAL", "LOAD_NAME"):
            value = space.get(name)
            if name in _IDENTITIES and name not in space:
                return f"{function.__qualname__} calls {name}(), which differs in each process"
            if isinstance(value, types.ModuleType):
                value = value.__name__
            elif not isinstance(value, type):
                value = type(value)
            if _is_of_c(value):
                return _calls_c(function, name)
        for name in _names_looked_up(function.__code__, "IMPORT_NAME"):
            if _is_of_c(name):
                return _calls_c(function, name)
    return None


def _is_of_c(name: str | type) -> bool:
    """Tell whether a module calls libraries in C, or a class is one of such a module's."""
    module = name if isinstance(name, str) else name.__module__
    return module.partition(".")[0] in ("ctypes", "_ctypes", "cffi", "_cffi_backend")


def _calls_c(function: types.FunctionType, name: str) -> str:
    return (
        f"{function.__qualname__} calls a library in C through {name}, whose state nobody can save"
    )


def _functions(env: Any) -> Iterator[types.FunctionType]:
    """Yield the methods of an environment's own classes, and functions that they call."""
    waiting: list[Any] = []
    for layer in layers_of(env):
        waiting += [getattr(held, "func", held) for held in getattr(layer, "__dict__", {}).values()]
        for cls in type(layer).__mro__:
            if not KINDS.knows(cls) and cls.__module__ not in ("builtins", "typing", "abc"):
                waiting += [value for name, value in vars(cls).items() if name not in _OF_OBJECTS]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        value = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if not isinstance(value, types.FunctionType) or id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        module = value.__module__
        names = _names_looked_up(value.__code__, "LOAD_GLOBAL", "LOAD_NAME")
        called = (value.__globals__.get(name) for name in names)
        waiting += [f for f in called if getattr(f, "__module__", None) == module]


def _names_looked_up(code: types.CodeType, *operations: str) -> Iterator[str]:
    """Yield the names that code looks up beside its own variables, by some of Python's steps."""
    for step in dis.get_instructions(code):
        if step.opname in operations:
            yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_looked_up(constant, *operations)
