"""What code names: variables and attributes, and those that it spells as texts."""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Iterator
from typing import Any

_BY_TEXT = frozenset(("globals", "getattr", "setattr", "vars", "__dict__", "modules"))
_MODULES_BY_TEXT = frozenset(("import_module", "__import__", "modules"))


def code_in(space: dict[str, Any]) -> Iterator[types.CodeType]:
    """Yield the code of functions and methods that a namespace holds."""
    waiting = list(space.values())
    waiting += [v for value in waiting if isinstance(value, type) for v in vars(value).values()]
    for value in waiting:
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, staticmethod | classmethod):
            value = value.__func__
        while isinstance(value, types.FunctionType):
            yield value.__code__
            value = vars(value).get("__wrapped__")


@functools.lru_cache(10_000)
def names_in(code: types.CodeType) -> tuple[str, ...]:
    """Return the names of globals and attributes that code uses, and code in it."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return (*code.co_names, *(name for one in inner for name in names_in(one)))


def asked_for(code: types.CodeType) -> tuple[str, ...]:
    """Return the names that code uses, those that it spells as texts for `getattr` too."""
    names = names_in(code)
    return (*names, *texts_in(code)) if _BY_TEXT.intersection(names) else names


def spelled_in(code: types.CodeType) -> tuple[str, ...]:
    """Return the texts in code that may name a module which it looks up."""
    return texts_in(code) if _MODULES_BY_TEXT.intersection(names_in(code)) else ()


@functools.lru_cache(10_000)
def texts_in(code: types.CodeType) -> tuple[str, ...]:
    """Return short texts without spaces that stand in code."""
    inner = [texts_in(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    own = (c for c in code.co_consts if isinstance(c, str) and c and len(c) < 100)
    return (*(c for c in own if not any(map(str.isspace, c))), *itertools.chain(*inner))
