"""Objects as pickle sees most of them: a bare one of a class, and its attributes by label."""

from __future__ import annotations

import copyreg
import enum
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Part = tuple[str, Any]
PartsFunction = Callable[[Any], list[Part]]

ATOMS = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...), bytearray)
CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType)

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
        if name in KEPT_IN_DICTS:
            parts += [("." + key, v) for key, v in child.items()]
        else:
            parts.append(("." + name, child))
    return parts


KEPT_IN_DICTS = ("_parameters", "_buffers", "_modules")


def reduced_parts(value: Any) -> list[Part]:
    """Ask pickle what an object is made of; one that refuses has no parts."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return []
    if not isinstance(reduced, tuple):
        return []
    _, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    parts = [(f"({i})", v) for i, v in enumerate(arguments) if not isinstance(v, CODE)]
    if isinstance(state, dict):
        parts += labelled(state)
    elif state is not None:
        parts.append((".state", state))
    parts += [(f"[{i}]", v) for i, v in enumerate(items or ())]
    return parts + dict_parts(dict(pairs or ()))


def dict_parts(value: dict[Any, Any]) -> list[Part]:
    """Return the values by key; keys that could change, by number."""
    parts: list[Part] = []
    for number, (key, child) in enumerate(value.items()):
        if isinstance(key, str):
            parts.append(("." + key, child))
        elif is_constant(key):
            parts.append((f"[{key!r}]", child))
        else:
            parts += [(f"[key {number}]", key), (f"[value {number}]", child)]
    has_attributes = type(value) is not dict and getattr(value, "__dict__", True)
    return parts + attributes_of(value) if has_attributes else parts


def is_constant(value: Any) -> bool:
    """Tell whether a value cannot change, nor anything in it: it matters not who shares it."""
    if isinstance(value, ATOMS):
        return not isinstance(value, bytearray) and not hasattr(value, "__dict__")
    if isinstance(value, tuple | frozenset):
        return all(map(is_constant, value)) and not hasattr(value, "__dict__")
    return isinstance(value, np.generic | np.dtype | enum.Enum)
