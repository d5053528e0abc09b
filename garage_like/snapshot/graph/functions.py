"""What Python wraps around functions: caches, properties that are computed once, generators.

A cache is made again and empty, a property without the lock that Python 3.11 gives it.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from garage_like.snapshot.graph.call_caches import CACHED_FUNCTION


def reducer_for(cls: type) -> Callable[[Any], Any] | None:
    """Choose how values of a class are pickled; None: as pickle does by itself."""
    return _REDUCERS.get(cls)


def reduce_cached_function(function: Any) -> Any:
    """Return how pickle saves a function behind `functools.lru_cache` that it cannot import."""
    limits = function.cache_parameters()
    arguments = (function.__wrapped__, limits["maxsize"], limits["typed"])
    return rebuild_cached_function, arguments, dict(vars(function))


def rebuild_cached_function(function: Any, maxsize: int | None, typed: bool) -> Any:
    """Put an empty cache before a function; a live function has its own."""
    live: Any = getattr(sys.modules.get(function.__module__), function.__qualname__, None)
    if isinstance(live, CACHED_FUNCTION) and vars(live)["__wrapped__"] is function:
        return live
    return functools.lru_cache(maxsize, typed)(function)


def _reduce_cached_property(value: functools.cached_property[Any]) -> Any:
    return rebuild_cached_property, (value.func, value.attrname)


def rebuild_cached_property(function: Any, name: str | None) -> functools.cached_property[Any]:
    """Build the property again; its name is what `__set_name__` would be given."""
    value = functools.cached_property(function)
    value.attrname = name
    return value


def _reduce_generator(value: types.GeneratorType[Any, Any, Any]) -> Any:
    """Return how pickle saves a generator that has come to its end; others hold a frame."""
    return NotImplemented if value.gi_frame is not None else (exhausted, ())


def exhausted() -> Iterator[Any]:
    """Return a generator that has come to its end."""
    nothing: tuple[Any, ...] = ()
    generator = (value for value in nothing)
    next(generator, None)
    return generator


_REDUCERS: dict[type, Callable[[Any], Any]] = {
    functools.cached_property: _reduce_cached_property,
    types.GeneratorType: _reduce_generator,
}
