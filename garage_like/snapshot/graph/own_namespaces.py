"""The globals and classes of the user's own modules: the launcher, and what lies in its folder."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cloudpickle import cloudpickle

from garage_like.snapshot.graph.own_code import is_own_file


def own_namespaces() -> list[dict[str, Any]]:
    """Return the globals of the launcher and of the modules in its folder."""
    main = vars(sys.modules["__main__"])
    spaces = [main] if is_own_file(main.get("__file__")) else []
    for cls in list(cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS):
        for function in vars(cls).values():
            function = getattr(function, "fget", None) or getattr(function, "__func__", function)
            space = getattr(function, "__globals__", {})
            if space.get("__name__") == "__main__" and not any(space is own for own in spaces):
                spaces.append(space)
    folders = frozenset(_parents(s["__file__"])[0] for s in spaces if s.get("__file__"))
    modules = _own_modules(folders, len(sys.modules))
    return spaces + [vars(sys.modules[name]) for name in modules if name in sys.modules]


@functools.lru_cache(16)
def _own_modules(folders: frozenset[Path], num_modules: int) -> list[str]:
    """Return the names of loaded modules whose files lie below some folders.

    Args:
        folders: of the launcher.
        num_modules: that are loaded: the thousands of them are gone through when one is new.
    """
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" or not folders or file is None or not is_own_file(file):
            continue
        if folders.intersection(_parents(file)):
            found.append(name)
    return found


@functools.lru_cache(10_000)
def _parents(file: str) -> tuple[Path, ...]:
    return tuple(Path(file).resolve().parents)


def own_classes() -> list[type]:
    """Return the classes of the run's own modules."""
    return classes_in(own_namespaces())


def classes_in(spaces: Iterable[dict[str, Any]]) -> list[type]:
    """Return the classes that namespaces hold, those within classes too."""
    found = {id(cls): cls for cls in list(cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS)}
    waiting = [value for space in spaces for value in list(space.values())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, type) and id(value) not in found:
            found[id(value)] = value
            waiting += [v for v in vars(value).values() if isinstance(v, type)]
    return list(found.values())
