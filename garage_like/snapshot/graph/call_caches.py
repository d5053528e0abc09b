"""What is in the cache of `functools.lru_cache`, and how to put it there again.

A cache shows its contents to nobody but the garbage collector, and takes results from its function
alone: they are read off what it refers to, and put back by having the function hand them out.
"""

from __future__ import annotations

import functools
import gc
import types
from typing import Any, NamedTuple

CACHED_FUNCTION: type = type(functools.lru_cache(lambda: None))
_pending: list[Any] = []


class Call(NamedTuple):
    """A call that a cache remembers."""

    arguments: tuple[Any, ...]
    named: dict[str, Any]
    result: Any


class Calls(NamedTuple):
    """All calls that a cache remembers, the one that is given up first in front."""

    calls: list[Call]


def calls_of(function: Any) -> Calls | None:
    """Return what a cache remembers; None if that cannot be found out."""
    referents = gc.get_referents(function)
    wrapped = function.__wrapped__
    places = [number for number, value in enumerate(referents) if value is wrapped]
    if not places or not isinstance(wrapped, types.FunctionType):
        return None
    place = places[-1]
    by_key, mark = referents[place - 1], referents[place + 1]
    limits = function.cache_parameters()
    if limits["maxsize"] is None:
        pairs = list(by_key.items()) if type(by_key) is dict else []
    else:
        links = referents[1 : place - 1]  # key, result and class of each
        pairs = list(zip(links[::3], links[1::3], strict=False))
    if len(pairs) != function.cache_info().currsize:
        return None
    return Calls([Call(*_arguments(key, mark, limits["typed"]), result) for key, result in pairs])


def _arguments(key: Any, mark: Any, typed: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a call was made with, from what it is remembered under."""
    if type(key) is not tuple:
        return (key,), {}
    places = [number for number, part in enumerate(key) if part is mark]
    if not places:
        return key[: len(key) // 2] if typed else key, {}
    count = places[0]
    rest = key[count + 1 :]
    num_named = (len(rest) - count) // 3 if typed else len(rest) // 2
    return key[:count], dict(
        zip(rest[: 2 * num_named : 2], rest[1 : 2 * num_named : 2], strict=True)
    )


def fill_cache(function: Any, remembered: Calls) -> None:
    """Have a cache remember these calls and no others."""
    wrapped = function.__wrapped__
    code = wrapped.__code__
    function.cache_clear()
    wrapped.__code__ = _hand_out.__code__.replace(co_freevars=code.co_freevars)
    try:
        for call in remembered.calls:
            _pending.append(call.result)
            function(*call.arguments, **call.named)
    finally:
        wrapped.__code__ = code
        _pending.clear()


def _hand_out(*arguments: Any, **named: Any) -> Any:
    """Return the result that is put back; runs with the globals of the cached function."""
    import sys

    return vars(sys.modules["garage_like.snapshot.graph.call_caches"])["_pending"].pop()
