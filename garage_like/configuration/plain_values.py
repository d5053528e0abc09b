"""Values as JSON: readable, and the same in every process, so that two runs can be compared."""

from __future__ import annotations

import ast
import enum
import functools
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

_SMALL_ARRAY = 1000
_MAX_DEPTH = 20
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def from_text(text: str) -> Any:
    """Read a value that a person wrote: as JSON, else as Python writes it, else it is a text.

    So `true`, `True`, `.5` and `(64, 64)` are what they look like.
    """
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, tuple):
            return [*value]
        if value is None or isinstance(value, bool | int | float | str | list | dict):
            return value
    return text


def to_json(value: Any, depth: int = 0) -> Any:
    """Turn a value into what JSON holds; what it lacks becomes a readable string.

    The result is the same in every process, so that two runs' parameters can be compared.
    """
    if value is None or (isinstance(value, bool | int) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, np.generic):
        return to_json(value.item(), depth + 1) if value.dtype.kind in "biuf" else str(value)
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return {_key(key): to_json(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [to_json(item, depth + 1) for item in value]
        if isinstance(value, set | frozenset):
            return sorted((to_json(item, depth + 1) for item in value), key=json.dumps)
    return _array(value, depth) if hasattr(value, "__array__") else describe(value)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(to_json(key))


def _array(value: Any, depth: int) -> Any:
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except Exception:  # whatever a stranger's conversion raises, the run shall not fail for it
        return describe(value)
    if array.dtype.kind in "biuf" and array.size <= _SMALL_ARRAY:
        return to_json(array.tolist(), depth + 1)
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:8]
    return f"array of shape {array.shape}, {array.dtype}, sha256 {digest}"


def describe(value: Any) -> str:
    """Describe an object in a way that does not differ between processes."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__module__}.{type(value).__qualname__}.{value.name}"
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, functools.partial):
        arguments = [*map(describe, value.args)]
        arguments += [f"{key}={describe(item)}" for key, item in value.keywords.items()]
        return f"partial({', '.join([describe(value.func), *arguments])})"
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return f"{value.__module__}.{value.__qualname__}"
    return _ADDRESS.sub("", repr(value))
