"""Which names there are here, and what their constructors take: asked of the framework itself."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from garage_like.configuration.garage_arguments import ARGUMENTS


def find(module: str, name: str) -> Any:
    """Return what a module of the framework calls by a name; None if nothing is found.

    Raises:
        ImportError: if the library that it is for is not installed, so that nobody can tell.
    """
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("garage_like"):
            raise ImportError(f"{module} cannot be looked at: {error}") from error
        return None
    if hasattr(found, name):
        return getattr(found, name)
    try:
        return importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return None


def unknown_arguments(cls: Any, names: Iterable[str]) -> Iterator[str]:
    """Yield those keyword arguments that a class does not take; none of what is no class."""
    if not inspect.isclass(cls):
        return
    known: set[str] = set()
    for base in cls.__mro__:
        room = f"{base.__module__}.{base.__qualname__}".removeprefix("garage_like.")
        known.update(ARGUMENTS.get(room, {}))
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return
    if hasattr(cls, "arguments_of_garage"):
        known.update(("optimizer", "optimizer_args"))
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return
    yield from (name for name in names if name not in parameters and name not in known)
