"""Objects as pickle sees most of them: a bare one of a class, and its attributes by label."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Mapping
from typing import Any

Part = tuple[str, Any]
PartsFunction = Callable[[Any], list[Part]]

NEW_OBJECT = copyreg.__newobj__  # type: ignore[attr-defined]
"""Make a bare object of a class; pickle has an opcode of its own for it."""


def attributes_of(value: Any) -> list[Part]:
    """Return the attributes of an object, slots included."""
    attributes = getattr(value, "__dict__", None)  # of an object that forwards: perhaps anything
    parts = labelled(attributes) if isinstance(attributes, dict) else []
    cls = type(value)
    slots = cls.__dict__.get("__slotnames__")
    if slots is None:
        slots = copyreg._slotnames(cls)  # type: ignore[attr-defined]
    if slots:
        parts += [(f".{name}", getattr(value, name)) for name in slots if hasattr(value, name)]
    return parts


def labelled(state: Mapping[str, Any]) -> list[Part]:
    """Label attributes; those that torch modules keep in dicts look like any other."""
    if "_modules" not in state:
        return [("." + name, child) for name, child in state.items()]
    parts: list[Part] = []
    for name, child in state.items():
        if name in _KEPT_IN_DICTS:
            parts += [("." + key, v) for key, v in child.items()]
        else:
            parts.append(("." + name, child))
    return parts


_KEPT_IN_DICTS = ("_parameters", "_buffers", "_modules")
