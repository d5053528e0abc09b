"""Variables of a function that functions within it have, too: hooks that count, say.

Where several functions share one they share it after a restore; and where the script has made the
function again, its own variable is the one that they share.
"""

from __future__ import annotations

import contextlib
import contextvars
import types
from collections.abc import Iterable, Iterator
from typing import Any

_live_cells: contextvars.ContextVar[dict[str, types.CellType] | None] = contextvars.ContextVar(
    "live_cells", default=None
)


def variables_of(function: types.FunctionType) -> dict[int, str]:
    """Return what the variables around a function are called, by the ids of their cells.

    By the outermost function and their own name: functions at any depth may share them.
    """
    outer, is_inside, _ = function.__code__.co_qualname.partition(".<locals>")
    named = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    if not is_inside:
        return {}
    return {
        id(cell): f"{function.__module__}.{outer}: {name}"
        for name, cell in named
        if name != "__class__"
    }


def make_cell(key: str | None) -> types.CellType:
    """Return the variable that the script has made again, once, or a new one."""
    offered = _live_cells.get() or {}
    return offered.pop(key, types.CellType()) if key is not None else types.CellType()


def fill_cell(cell: types.CellType, content: tuple[Any]) -> None:
    """Bind a variable."""
    (cell.cell_contents,) = content


@contextlib.contextmanager
def restoring_into_variables_of(functions: Iterable[types.FunctionType]) -> Iterator[None]:
    """Offer the variables of live functions; on an exception they are as they were.

    One of which there are several, since a function has run several times, is not offered.
    """
    found: dict[str, dict[int, types.CellType]] = {}
    for function in functions:
        names = variables_of(function)
        for cell in function.__closure__ or ():
            if id(cell) in names:
                found.setdefault(names[id(cell)], {})[id(cell)] = cell
    offered = {key: cell for key, (cell, *more) in _listed(found) if not more}
    before = [(cell, cell.cell_contents) for cell in offered.values() if _is_bound(cell)]
    token = _live_cells.set(offered)
    try:
        yield
    except BaseException:
        for cell, content in before:
            cell.cell_contents = content
        raise
    finally:
        _live_cells.reset(token)


def _listed(found: dict[str, dict[int, Any]]) -> Iterator[tuple[str, list[types.CellType]]]:
    return ((key, list(cells.values())) for key, cells in found.items())


def _is_bound(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is cell.cell_contents
    except ValueError:
        return False
