"""Objects that forward attributes: what they are made of is asked of their class, not of them.

While one is unpickled it is empty, and pickle asks it for `__setstate__`: a `__getattr__` that
looks at an attribute of its own then calls itself for ever. While it is pickled, what it forwards
to answers in its place.
"""

from __future__ import annotations

import copyreg
import types
from collections.abc import Mapping
from typing import Any

from garage_like.snapshot.kinds.attributes import NEW_OBJECT

_ASKED = ("__setstate__", "__getnewargs__", "__getnewargs_ex__")


def is_forwarding_class(cls: type) -> bool:
    """Tell whether objects of a class answer for attributes that they do not have.

    Not those that say themselves how they are pickled.
    """
    asks = (getattr(cls, "__getattr__", None), getattr(cls, "__getattribute__", None))
    return (
        any(isinstance(function, types.FunctionType) for function in asks)
        and cls.__reduce__ is object.__reduce__
        and cls.__reduce_ex__ is object.__reduce_ex__
        and not any(_has(cls, name) for name in _ASKED)
        and cls.__basicsize__ - object.__basicsize__ <= 8 * (2 + len(_slots(cls)))
    )


def _has(cls: type, name: str) -> bool:
    return any(name in vars(base) for base in cls.__mro__)


def _slots(cls: type) -> list[str]:
    return copyreg._slotnames(cls)  # type: ignore[attr-defined]


def reduce_forwarding(value: Any) -> Any:
    """Return how pickle saves an object, without a question to what it forwards to."""
    cls: Any = type(value)
    state = cls.__getstate__(value)
    return NEW_OBJECT, (cls,), state, None, None, fill


def fill(value: Any, state: Any) -> None:
    """Give a bare object its attributes, past whatever its class does to set one."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    if attributes:
        object.__getattribute__(value, "__dict__").update(attributes)
    if isinstance(slots, Mapping):
        for name, held in slots.items():
            object.__setattr__(value, name, held)
