"""Options that a constructor hands up to a base are shown where the class is looked at.

They are spelled and explained once, by the base that takes them. `help`, an editor and the API
pages read the signature and the docstring of the class, so both are completed from the base's.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Collection
from typing import Any

_HANDED_UP = re.compile(r"^( *)\*\*options: .*\n(?:\1 +\S.*\n)*", re.MULTILINE)
_GATHERED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def show_options(cls: type, constructor: Callable[..., None]) -> None:
    """Complete a class's signature and docstring, if it documents `**options` for its base.

    Args:
        cls: the class, just made.
        constructor: what it defines as `__init__`, without what is wrapped around it.
    """
    own = inspect.signature(constructor)
    base = _constructor_above(cls)
    gathers = [p for p in own.parameters.values() if p.name == "options" and p.kind in _GATHERED]
    documented = _HANDED_UP.search(cls.__doc__ or "")
    takes_all = list(own.parameters) == ["self", "args", "options"]
    if base is None or not gathers or not (documented or takes_all):
        return
    above = inspect.signature(base)
    if takes_all:  # nothing of its own: it is called as the base is
        vars(cls)["__init__"].__signature__ = above
        return
    named = _names(constructor, gathers[0].annotation)
    options = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in above.parameters.values()
        if parameter.name not in own.parameters
        and parameter.default is not parameter.empty
        and (named is None or parameter.name in named)
    ]
    kept = [p for p in own.parameters.values() if p.kind not in _GATHERED]
    vars(cls)["__init__"].__signature__ = own.replace(parameters=[*kept, *options])
    explained = _explanations(cls)
    cls.__doc__ = _HANDED_UP.sub(
        lambda found: "".join(
            f"{found[1]}{line}\n" for option in options for line in explained.get(option.name, ())
        ),
        cls.__doc__ or "",
    )


def _constructor_above(cls: type) -> Callable[..., None] | None:
    above = (vars(base).get("__init__") for base in cls.__mro__[1:-1])
    return next((found for found in above if inspect.isfunction(found)), None)


def _names(constructor: Callable[..., None], annotation: Any) -> Collection[str] | None:
    """Return which options `Unpack[SomeOptions]` allows; None if it is not written so."""
    found = re.fullmatch(r"(?:\w+\.)?Unpack\[(\w+)\]", str(annotation))
    module = sys.modules.get(constructor.__module__)
    allowed = getattr(module, found[1], None) if found else None
    return None if allowed is None else allowed.__annotations__.keys()


def _explanations(cls: type) -> dict[str, list[str]]:
    """Return the lines by which the bases explain each argument, without their margin."""
    explained: dict[str, list[str]] = {}
    for base in cls.__mro__[1:]:
        section = re.search(r"^Args:\n((?: .*\n|\n)+)", (inspect.getdoc(base) or "") + "\n", re.M)
        entries = re.split(r"^    (?=\S)", section[1] if section else "", flags=re.MULTILINE)
        for entry in entries:
            name, colon, _ = entry.partition(":")
            if colon:
                lines = [line.removeprefix("    ") for line in entry.rstrip().splitlines()]
                explained.setdefault(name, lines)
    return explained
