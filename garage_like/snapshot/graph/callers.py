"""What the functions that called for training have names for, of the run's objects.

A script sets up its objects, calls `train`, and goes on with them. In a process that goes on only
a part of the run is restored into them; for the rest it would go on with objects that were never
trained. Its names are bound to the restored ones instead.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

from garage_like.snapshot.graph.loop_locals import FunctionNames, outliving, variables_in
from garage_like.snapshot.graph.own_code import is_own_class, is_own_file
from garage_like.snapshot.graph.places import Place, is_data
from garage_like.snapshot.kinds.attributes import is_constant

MARK = ": its object "
"""In the name of a place: what stands before it is the function."""

_DEEPEST = 3
_MOST_HELD = 100


def names_of_callers(
    frame: types.FrameType | None,
    is_wanted: Callable[[str, Any], bool],
    is_skipped: Callable[[Any], bool],
) -> dict[str, Place]:
    """Return what the user's functions that wait for this one hold, and may yet read, by a name.

    Args:
        frame: of what was called.
        is_wanted: tells of a name and a value whether it counts; what is inside is then not looked
            at.
        is_skipped: tells of who holds a variable whether that is nobody's business.
    """
    found: dict[str, Place] = {}
    while frame is not None:
        code, space = frame.f_code, frame.f_globals
        is_own = is_own_file(code.co_filename) or space.get("__name__") == "__main__"
        held = FunctionNames(frame)
        if is_own and code.co_flags & inspect.CO_OPTIMIZED and not is_skipped(held):
            where = f"{space.get('__name__')}.{code.co_qualname}{MARK}"
            live = outliving(code, frame.f_lasti)
            for name, value in variables_in(frame).items():
                if name in live and is_data(value):
                    place = Place(value, held, name, space)
                    for path, inner in _within(where + name, place, is_wanted, _DEEPEST):
                        found.setdefault(path, inner)  # of a function that waits twice, the last
        frame = frame.f_back
    return found


def _within(
    path: str, place: Place, is_wanted: Callable[[str, Any], bool], depth: int
) -> Iterator[tuple[str, Place]]:
    """Yield a place, if that is wanted, or those inside what it holds."""
    if is_constant(place.value):
        return
    if is_wanted(path, place.value):
        yield path, place
        return
    owner, label = _held_inside(place.value)
    items = list(owner.items()) if isinstance(owner, dict) else list(enumerate(owner))
    for key, inner in items if depth and len(items) <= _MOST_HELD else ():
        if isinstance(key, str | int) and is_data(inner):
            held = Place(inner, owner, key, place.space)  # type: ignore[arg-type]
            yield from _within(path + label.format(key), held, is_wanted, depth - 1)


def _held_inside(value: Any) -> tuple[dict[Any, Any] | list[Any], str]:
    """Return where a container, or an object of the user's own, holds others, and their label."""
    if isinstance(value, dict | list):
        return value, "[{!r}]"
    if is_own_class(type(value)) or isinstance(value, types.SimpleNamespace):
        return getattr(value, "__dict__", {}), ".{}"
    return {}, ""
