"""Python's own random numbers and references that keep nothing alive; versions of packages."""

from __future__ import annotations

import random
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from garage_like.snapshot.kinds.attributes import Part, PartsFunction
from garage_like.snapshot.kinds.kind import Kind, Pickling, no_parts

_WEAK_DICTS = (weakref.WeakValueDictionary, weakref.WeakKeyDictionary)
_REFERENCES = (weakref.ref, weakref.WeakMethod)


class PythonKind(Kind):
    """Generators of Python, and what refers to an object without keeping it."""

    name = "python"
    modules = ("random", "collections")
    versions = ("cloudpickle", "cma")

    def claims(self, cls: type) -> bool:
        return issubclass(cls, random.Random) or cls in _REFERENCES or cls in _WEAK_DICTS

    def reduce(self, value: Any, pickling: Pickling) -> Any:
        cls = type(value)
        if issubclass(cls, random.SystemRandom):
            return cls, ()  # it has no state: nobody can tell one from another
        if cls in _REFERENCES:
            return refer_again, (cls, value(), value.__callback__)
        if cls in _WEAK_DICTS:
            return cls, (), None, None, iter(list(value.items()))
        return NotImplemented

    def is_generator(self, cls: type) -> bool:
        return issubclass(cls, random.Random) and not issubclass(cls, random.SystemRandom)

    def generator_state(self, generator: random.Random) -> Any:
        return generator.getstate()

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        if not as_pickled or issubclass(cls, random.SystemRandom):
            return no_parts
        if cls in _REFERENCES:
            return _referred_parts
        return _weak_parts if cls in _WEAK_DICTS else _generator_parts

    def rng_state(self) -> dict[str, Any]:
        return {self.name: random.getstate()}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        random.setstate(state[self.name])


def refer_again(cls: Any, target: Any, callback: Callable[[Any], Any] | None) -> Any:
    """Build a weak reference; of what was gone already to what is gone again."""
    if target is None:
        target = _Gone().stay if cls is weakref.WeakMethod else _Gone()
    return cls(target, callback)


class _Gone:
    def stay(self) -> None:
        """Do nothing: a weak method needs one."""


def _generator_parts(generator: random.Random) -> list[Part]:
    return [(".state", generator.getstate())]


def _referred_parts(reference: Any) -> list[Part]:
    return [("()", reference())]


def _weak_parts(mapping: Any) -> list[Part]:
    return [(f"{{{number}}}", item) for number, item in enumerate(list(mapping.items()))]
