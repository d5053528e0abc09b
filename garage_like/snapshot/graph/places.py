"""Where a run's own modules hold state: globals, classes, and what functions carry along.

A function carries attributes, defaults that can change, variables of the function around it, and
the cache of `functools.lru_cache`. Only those of the user's own code count, see `own_code`.
"""

from __future__ import annotations

import functools
import itertools
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from garage_like.snapshot.graph.call_caches import CACHED_FUNCTION, calls_of, fill_cache
from garage_like.snapshot.graph.named_in_code import asked_for, names_in, spelled_in, texts_in
from garage_like.snapshot.graph.own_code import is_own_class, is_own_file
from garage_like.snapshot.graph.own_namespaces import classes_in, own_namespaces
from garage_like.snapshot.graph.process_places import (
    SETTINGS,
    Setting,
    parts_of_holder,
    variables_named,
)

_MOST_HELD = 100
"""Containers with more than so many items hold data, and are not looked through for functions."""

NUMBERS = (bool, int, float, complex, str, bytes, type(None))
_CODE = (
    *(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType),
    *(property, classmethod, staticmethod, functools.partial, functools.cached_property),
    *(types.GetSetDescriptorType, types.MemberDescriptorType, types.WrapperDescriptorType),
)
_FUNCTIONS = (types.FunctionType, types.MethodType, CACHED_FUNCTION)


class Place(NamedTuple):
    """Where a value is held.

    Attributes:
        value: that is there.
        owner: a namespace, a class, a function, the cell of a variable, a cached or a partial
            function, a setting of the process, or what holds values for a thread.
        name: within the owner.
        space: globals of the code that it belongs to; None of a class.
    """

    value: Any
    owner: Any
    name: str
    space: Any = None

    def bind(self, value: Any) -> None:
        """Put another value there."""
        if isinstance(self.owner, MutableMapping):
            self.owner[self.name] = value
        elif isinstance(self.owner, list):
            self.owner[int(self.name)] = value
        elif isinstance(self.owner, types.CellType):
            self.owner.cell_contents = value
        elif isinstance(self.owner, CACHED_FUNCTION):
            fill_cache(self.owner, value)
        elif isinstance(self.owner, Setting):
            self.owner.set(value)
        elif isinstance(self.owner, functools.partial):
            _bind_argument(self.owner, self.name, value)
        elif isinstance(self.owner, types.FunctionType):
            defaults = list(self.owner.__defaults__ or ())
            defaults[int(self.name)] = value
            self.owner.__defaults__ = tuple(defaults)
        else:
            setattr(self.owner, self.name, value)


def find_places(reached_from: Iterable[Any] | None = None) -> dict[str, Place]:
    """Return what the run's own modules, classes and functions hold, by a name to tell users.

    Args:
        reached_from: functions that the run holds. Only what these, own classes and experiments
            use counts then, and what is used by what they use; None: all functions do. A function
            that only watches, a hook of the interpreter's say, is no part of the run.
    """
    spaces = own_namespaces()
    names = {space["__name__"] for space in spaces}
    classes = [cls for cls in classes_in(spaces) if cls.__module__ in names]
    found = {name: Place(owner.get(), owner, "") for name, owner in SETTINGS.items()}
    functions: list[tuple[str, Any]] = []
    named_there = _names_of_functions(spaces)
    for cls in classes:
        where = f"{cls.__module__}.{cls.__qualname__}"
        for name, value in list(vars(cls).items()):
            if not name.startswith(("__", "_abc_")) and is_data(value):
                found[f"{where}.{name}"] = Place(value, cls, name)
                functions += _held_by(value, f"{where}.{name}")
            functions.append((f"{where}.{name}", value))
    for space in spaces:
        functions += [
            (f"{space['__name__']}.{name}", v)
            for name, v in list(space.items())
            if reached_from is None or _holds_experiment(v)
        ]
    functions += [(_name_of(v), v) for v in reached_from or ()]
    met: set[int] = set()
    while functions:
        where, value = functions.pop()
        value = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if id(value) in met:
            continue
        met.add(id(value))
        where = _own_name(value) or named_there.get(id(value)) or where  # however it was reached
        if isinstance(value, CACHED_FUNCTION) and _module_of(value) in names:
            found[f"{where}: its cache"] = Place(_calls(value), value, "")
        functions += [(where, inner) for inner in _inside(value)]
        if isinstance(value, functools.partial):
            found.update(_arguments(where, value))
        if isinstance(value, types.FunctionType):
            space = value.__globals__
            is_own = any(space is own for own in spaces)
            if is_own:
                named = [space, *(vars(m) for m in _named_modules(value, space))]
                held = [_named_globals(value, s) for s in named if any(s is own for own in spaces)]
                for name, place in itertools.chain(*held, _carried(where, value)):
                    found[name] = place
                    functions += _held_by(place.value, name)
                    for label, inner, owner in parts_of_holder(place.value):
                        found[name + label] = Place(inner, owner, label[1:], space)
                texts = texts_in(value.__code__)
                for name, owner in variables_named(names_in(value.__code__), texts):
                    found[name] = Place(owner.get(), owner, "", space)
                functions += _named_functions(value, space)
                functions += _held_by([value.__defaults__, value.__kwdefaults__], where)
            functions += [(where, cell) for cell in _cells(value).values()]
    return found


def named_code() -> dict[str, Any]:
    """Return what tells which functions and classes the run's own modules have names for.

    `reward = dense if given.dense else sparse` is another function of the same file.
    """
    return {
        f"{space['__name__']}.{name}": _which(value)
        for space in own_namespaces()
        for name, value in list(space.items())
        if callable(value) and not name.startswith("__")
    }


def _which(value: Any) -> tuple[Any, ...]:
    if isinstance(value, functools.partial):
        return _which(value.func), value.args, value.keywords
    function = getattr(value, "__wrapped__", value)
    line = getattr(getattr(function, "__code__", None), "co_firstlineno", None)
    defaults = getattr(function, "__defaults__", None) or ()
    numbers = [repr(one) for one in defaults if isinstance(one, NUMBERS)]
    named = getattr(value, "__qualname__", type(value).__qualname__)
    return _module_of(value), named, line, numbers


def _held_by(value: Any, where: str, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Yield functions that a container holds: a registry of them, say."""
    if isinstance(value, (*_FUNCTIONS, functools.partial)):
        yield where, value
    elif depth and isinstance(value, dict | list | tuple | set) and len(value) <= _MOST_HELD:
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
        for key, one in pairs:  # by a name of its own, where there is one
            place = f"{where}[{key!r}]" if isinstance(key, NUMBERS) else where
            yield from _held_by(one, place, depth - 1)


def _calls(function: Any) -> Any:
    """Return what a cache holds; while it is empty that is nothing."""
    return calls_of(function) if function.cache_info().currsize else None


def _module_of(value: Any) -> Any:
    return getattr(value, "__module__", None)


def _inside(value: Any) -> Iterator[Any]:
    """Yield the functions that another one, or what was made of it, goes around.

    A command of Click's goes around one, and an application of Typer's around several.
    """
    if isinstance(value, functools.partial):
        yield value.func
    attributes = getattr(value, "__dict__", None)  # of an object that forwards: anything
    if not isinstance(attributes, dict) or isinstance(value, types.ModuleType):
        return
    for name in ("__wrapped__", "py_func", "callback"):
        if isinstance(inner := attributes.get(name), types.FunctionType | CACHED_FUNCTION):
            yield inner
    for name in ("commands", "registered_commands"):
        inner = attributes.get(name)
        inner = list(inner.values()) if isinstance(inner, dict) else inner
        yield from inner if isinstance(inner, list) else ()


def _arguments(where: str, value: functools.partial[Any]) -> Iterator[tuple[str, Place]]:
    """Yield the arguments that a partial function holds, but for what cannot change."""
    for key, held in (*enumerate(value.args), *value.keywords.items()):
        if not isinstance(held, NUMBERS) and is_data(held):
            yield f"{where}({key}=)", Place(held, value, str(key))


def _bind_argument(function: functools.partial[Any], key: str, value: Any) -> None:
    args, named = list(function.args), dict(function.keywords)
    if key.isdecimal():
        args[int(key)] = value
    else:
        named[key] = value
    changeable: Any = function  # which only its way of being unpickled shows
    changeable.__setstate__((function.func, tuple(args), named, vars(function)))


def _named_globals(function: types.FunctionType, space: dict[str, Any]) -> Iterator[Any]:
    for name in asked_for(function.__code__):
        if name in space and not name.startswith("__") and is_data(space[name]):
            yield f"{space['__name__']}.{name}", Place(space[name], space, name, space)


def _named_functions(function: types.FunctionType, space: dict[str, Any]) -> Iterator[Any]:
    """Yield functions that a function names, alone or as those of an own module."""
    names = names_in(function.__code__)
    yield from ((f"{space['__name__']}.{n}", space[n]) for n in names if n in space)
    for module in _named_modules(function, space):
        inside = vars(module)
        yield from ((f"{module.__name__}.{n}", inside[n]) for n in names if n in inside)


def _named_modules(
    function: types.FunctionType, space: dict[str, Any]
) -> Iterator[types.ModuleType]:
    """Yield own modules that a function names, those inside of packages too."""
    names = names_in(function.__code__)
    waiting: list[Any] = [space.get(name, sys.modules.get(name)) for name in names]
    waiting += [sys.modules.get(text) for text in spelled_in(function.__code__)]
    met: set[int] = set()
    while waiting:
        module = waiting.pop()
        if not isinstance(module, types.ModuleType) or id(module) in met:
            continue
        file = getattr(module, "__file__", None)
        if is_own_file(file) or (file is None and hasattr(module, "__path__")):
            met.add(id(module))
            yield module
            waiting += [vars(module).get(name) for name in names]


def _own_name(function: Any) -> str | None:
    """Return where a function is defined, if that is one place: not in another function."""
    if isinstance(function, types.FunctionType):
        name = function.__code__.co_qualname
    elif isinstance(function, CACHED_FUNCTION):
        name = getattr(function, "__qualname__", "<")
    else:
        return None
    if "<" not in name:
        return f"{_module_of(function)}.{name}"
    named = getattr(function, "__qualname__", "<")  # a decorator's, which calls it as what it wraps
    held: Any = sys.modules.get(_module_of(function) or "")
    for part in () if "<" in named else named.split("."):
        held = getattr(held, "__dict__", {}).get(part)
    return f"{_module_of(function)}.{named}" if held is function else None


def _names_of_functions(spaces: Iterable[dict[str, Any]]) -> dict[int, str]:
    """Return by which name of a module functions are called, by their ids."""
    return {
        id(value): f"{space['__name__']}.{name}"
        for space in spaces
        for name, value in list(space.items())
        if isinstance(value, types.FunctionType | functools.partial)
    }


def _holds_experiment(value: Any) -> bool:
    """Tell whether this is a function behind `wrap_experiment`, or goes around one."""
    if isinstance(value, type | types.ModuleType):  # most of what a module has names for
        return False
    return any(map(_is_experiment, (value, *_inside(value))))


def _is_experiment(value: Any) -> bool:
    return (
        isinstance(value, types.FunctionType)
        and hasattr(value, "__wrapped__")
        and value.__globals__.get("__name__") == "garage_like.experiment.decorator"
    )


def _name_of(function: Any) -> str:
    return f"{_module_of(function)}.{getattr(function, '__qualname__', '')}"


def _carried(where: str, function: types.FunctionType) -> Iterator[tuple[str, Place]]:
    """Yield what a function holds itself: attributes, defaults, variables around it."""
    for name, value in list(vars(function).items()):
        if name != "__wrapped__" and is_data(value):
            yield f"{where}.{name}", Place(value, vars(function), name, function.__globals__)
    code, defaults = function.__code__, function.__defaults__ or ()
    parameters = code.co_varnames[: code.co_argcount][-len(defaults) :]
    for number, (name, value) in enumerate(zip(parameters, defaults, strict=False)):
        if not isinstance(value, NUMBERS) and is_data(value):
            yield f"{where}({name}=)", Place(value, function, str(number), function.__globals__)
    named = function.__kwdefaults__ or {}
    for name, value in list(named.items()):
        if not isinstance(value, NUMBERS) and is_data(value):
            yield f"{where}({name}=)", Place(value, named, name, function.__globals__)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        value = _content(cell)
        if name != "__class__" and is_data(value):
            yield f"{where}: its variable {name}", Place(value, cell, name, function.__globals__)


def carried_by(functions: Iterable[types.FunctionType]) -> dict[str, Place]:
    """Return what functions hold themselves, such as those that another function made."""
    return dict(place for f in functions for place in _carried(f.__qualname__, f))


def carried_by_callables(callables: Mapping[str, Any]) -> dict[str, Place]:
    """Return what the script's own hold that are called by a run and no part of it.

    Of a method, what its object holds; of an object, too. A function of a module is that one's.

    Args:
        callables: by what users are to be told.
    """
    found: dict[str, Place] = {}
    for where, value in callables.items():
        if isinstance(value, functools.partial):
            found |= _arguments(where, value)
            found |= carried_by_callables({where: value.func})
        elif isinstance(value, types.FunctionType):
            if "<" in value.__code__.co_qualname:
                found |= _carried(where, value)
        else:
            owner = getattr(value, "__self__", value)
            space = vars(sys.modules.get(_module_of(type(owner)) or "") or types)
            held = getattr(owner, "__dict__", None)
            for name, inner in list(held.items()) if isinstance(held, dict) else ():
                if is_data(inner):
                    found[f"{where}: {type(owner).__name__}.{name}"] = Place(
                        inner, held, name, space
                    )
    return found


def _cells(function: types.FunctionType) -> dict[str, Any]:
    cells = function.__closure__ or ()
    return {n: _content(c) for n, c in zip(function.__code__.co_freevars, cells, strict=False)}


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return _content  # code, which is no state


def is_imported(place: Place) -> bool:
    """Tell whether an installed module holds the value under the same name: it is that one's."""
    return not isinstance(place.value, NUMBERS) and any(
        isinstance(module, types.ModuleType)
        and vars(module).get(place.name) is place.value
        and module is not sys.modules["__main__"]
        and not is_own_file(getattr(module, "__file__", None))
        for module in list(sys.modules.values())
    )


def is_data(value: Any) -> bool:
    """Tell whether a value is state; an object that is a property of its own kind may be, too."""
    if isinstance(value, (*_CODE, CACHED_FUNCTION)):
        return False
    return not hasattr(type(value), "__get__") or is_own_class(type(value))
