"""Places that are not there yet: code makes a name in mid-run, or imports a module then."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import itertools
import sys
import threading
import types
from typing import Any

from garage_like.snapshot.graph.named_in_code import asked_for, code_in
from garage_like.snapshot.graph.own_code import is_own_file
from garage_like.snapshot.graph.own_namespaces import own_namespaces
from garage_like.snapshot.graph.places import Place


def place_to_make(name: str) -> Place | None:
    """Return where a value belongs whose name is not there: one that code makes in mid-run.

    Args:
        name: as `find_places` gives it. A module that is not imported yet is, if it is there.
    """
    above, _, last = name.rpartition(".")
    if not (above and last.isidentifier()):
        return None
    parts = above.split(".")
    for number in range(len(parts), 0, -1):
        module = ".".join(parts[:number])
        if module != "__main__":
            _import_own(module)
        for space in own_namespaces():
            if space["__name__"] == module:
                return _place_below(space, parts[number:], last)
    return None


def _place_below(space: dict[str, Any], parts: list[str], last: str) -> Place | None:
    held: Any = None
    for part in parts:
        held = space.get(part) if held is None else vars(held).get(part)
        if not isinstance(held, type | types.FunctionType | threading.local):
            return None
    codes = itertools.chain(*map(code_in, own_namespaces())) if held is None else ()
    if held is None and not any(last in asked_for(code) for code in codes):
        return None  # nothing here asks for it any more
    if isinstance(held, type | threading.local):
        return Place(object(), held, last)
    return Place(object(), space if held is None else vars(held), last, space)


def _import_own(name: str) -> None:
    """Import a module of the user's own, if there is one of that name."""
    with contextlib.suppress(Exception):  # which is raised where the run needs it
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is not None and is_own_file(spec.origin):
            importlib.import_module(name)
