"""State beside the objects: what the run's own modules and classes hold, and training changes.

A generator at the top of a launcher, a counter in a class: when the script is run again they are
fresh, whatever the snapshot holds of the objects. What has changed since training began is saved
with the graph and put back; what has changed and cannot be is named, so that no label is wrong.
"""

from __future__ import annotations

import contextlib
import functools
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from cloudpickle import cloudpickle

from garage_like.snapshot.disk.digests import blake2b_of
from garage_like.snapshot.graph.own_code import is_own_file
from garage_like.snapshot.graph.pickling import GraphPickler, copy_exactly

_NUMBERS = (bool, int, float, complex, str, bytes, type(None))
_CODE = (
    *(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType),
    *(property, classmethod, staticmethod, functools.partial, functools.cached_property),
    *(types.GetSetDescriptorType, types.MemberDescriptorType, types.WrapperDescriptorType),
)


class ModuleState:
    """Watch the globals and class attributes that a run's own classes use.

    Attributes:
        lost: places whose values changed and can't be put back.
        kept_by_the_loop: tells whether what a dict holds is saved as the objects of the run.
    """

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.kept_by_the_loop: Callable[[Any], bool] = lambda owner: False
        self._before: dict[str, str | None] = {}
        self._restored: set[str] = set()

    def begin(self) -> None:
        """Remember how everything is before the first epoch of this process."""
        self._before = {place: _digest(value) for place, (value, _) in self._watched().items()}

    def changed(self) -> dict[str, Any]:
        """Return what has changed since the run began and can be put back, by place."""
        self.lost = []
        found: dict[str, Any] = {}
        for place, (value, _) in self._watched().items():
            digest = _digest(value)
            is_same = place in self._before and self._before[place] == digest
            if is_same and place not in self._restored:
                continue
            if place not in self._before and place not in self._restored:
                # a class first pickled in mid-run: how it was before is not known
                self._before[place] = digest
                continue
            if digest is None or "<locals>" in place:
                self.lost.append(place)
            else:
                found[place] = value
        return found

    def _watched(self) -> dict[str, tuple[Any, tuple[Any, str]]]:
        return {p: at for p, at in _places().items() if not self.kept_by_the_loop(at[1][0])}

    def why_inexact(self) -> list[str]:
        """Return a sentence for each place that changes and cannot be put back."""
        return [
            f"{place} changes while training and cannot be saved; keep it in an object of the run"
            for place in sorted(self.lost)
        ]

    def put_back(self, saved: Mapping[str, Any]) -> None:
        """Bind what was saved in this process's modules and classes, under each of its names."""
        places = _places()
        self._restored = set(saved)
        for place, value in saved.items():
            if place not in places:
                continue
            live = places[place][0]
            owners = {place}
            if not isinstance(live, _NUMBERS):
                owners |= {other for other, (held, _) in places.items() if held is live}
            for other in owners:
                _bind(places[other][1], value)

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Leave everything as it was found: trying an environment moves what its class counts."""
        before = {
            place: (digest, value if isinstance(value, _NUMBERS) else copy_exactly(value))
            for place, (value, _) in _places().items()
            if (digest := _digest(value)) is not None
        }
        try:
            yield
        finally:
            for place, (value, where) in _places().items():
                digest, copy = before.get(place, (None, None))
                if digest is None or _digest(value) == digest:
                    continue
                if type(value) is not type(copy) or not _fill(value, copy):
                    _bind(where, copy)


def _bind(where: tuple[Any, str], value: Any) -> None:
    owner, name = where
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)


def _fill(live: Any, saved: Any) -> bool:
    """Set an object to the state of another in place, since others hold it, if that can be done."""
    if isinstance(live, np.random.Generator):
        live.bit_generator.state = saved.bit_generator.state
    elif isinstance(live, np.random.RandomState):
        live.set_state(saved.get_state())
    elif isinstance(live, random.Random):
        live.setstate(saved.getstate())
    elif isinstance(live, np.ndarray) and live.shape == saved.shape and live.flags.writeable:
        live[...] = saved
    elif isinstance(live, list):
        live[:] = saved
    elif isinstance(live, dict | set):
        live.clear()
        live.update(saved)
    else:
        return False
    return True


def _places() -> dict[str, tuple[Any, tuple[Any, str]]]:
    """Return what the classes of the run's own modules hold or name: value, owner and name."""
    spaces = _own_namespaces()
    names = {space["__name__"] for space in spaces}
    classes = [cls for cls in _classes(spaces) if cls.__module__ in names]
    found: dict[str, tuple[Any, tuple[Any, str]]] = {}
    for cls in classes:
        for name, value in list(vars(cls).items()):
            if not name.startswith(("__", "_abc_")) and _is_data(value):
                found[f"{cls.__module__}.{cls.__qualname__}.{name}"] = (value, (cls, name))
    functions = [f for cls in classes for f in _functions(cls)]
    met: set[int] = set()
    while functions:
        function = functions.pop()
        space = function.__globals__
        if id(function) in met or not any(space is own for own in spaces):
            continue
        met.add(id(function))
        for name in _names_in(function.__code__):
            value = getattr(space.get(name), "__wrapped__", space.get(name))
            if isinstance(value, types.FunctionType):
                functions.append(value)
            elif isinstance(value, types.ModuleType) and is_own_file(vars(value).get("__file__")):
                functions += [f for f in vars(value).values() if isinstance(f, types.FunctionType)]
            elif name in space and not name.startswith("__") and _is_data(space[name]):
                found[f"{space['__name__']}.{name}"] = (space[name], (space, name))
    return found


def _own_namespaces() -> list[dict[str, Any]]:
    """Return the globals of the launcher and of the modules in its folder."""
    main = vars(sys.modules["__main__"])
    spaces = [main] if is_own_file(main.get("__file__")) else []
    for cls in list(cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS):
        for function in _functions(cls):
            space = function.__globals__
            if space.get("__name__") == "__main__" and not any(space is own for own in spaces):
                spaces.append(space)
    folders = {Path(s["__file__"]).resolve().parent for s in spaces if s.get("__file__")}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" or not folders or file is None or not is_own_file(file):
            continue
        if folders.intersection(Path(file).resolve().parents):
            spaces.append(vars(module))
    return spaces


def _classes(spaces: Iterable[dict[str, Any]]) -> list[type]:
    found = {id(cls): cls for cls in list(cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS)}
    waiting = [value for space in spaces for value in list(space.values())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, type) and id(value) not in found:
            found[id(value)] = value
            waiting += [v for v in vars(value).values() if isinstance(v, type)]
    return list(found.values())


def _functions(cls: type) -> Iterator[types.FunctionType]:
    for value in list(vars(cls).values()):
        value = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if isinstance(value, types.FunctionType):
            yield value


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _is_data(value: Any) -> bool:
    return not isinstance(value, _CODE) and not hasattr(type(value), "__get__")


def _digest(value: Any) -> str | None:
    """Return what tells a value from a later one; None if it cannot be saved."""
    if isinstance(value, _NUMBERS):
        return repr(value)
    try:
        pickler = GraphPickler({"value": value}, keep_live=False)
        content = pickler.save()
        return blake2b_of([content, *(bytes(buffer) for buffer in pickler.buffers)])
    except Exception:  # whatever a foreign object raises: it cannot be saved
        return None
