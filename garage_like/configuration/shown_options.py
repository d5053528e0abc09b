"""What a constructor takes is shown where its class is looked at, and explained once.

An option that a constructor hands up to a base is spelled and explained by the base that takes it,
an argument that several classes take by the first of them, and one that is handed to a part by
that part (`EXPLAINED_BY`). `help` and the API pages read the signature and the docstring of the
class, so both are completed from those.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

Fields = TypeVar("Fields")
Function = TypeVar("Function", bound=Callable[..., Any])

_OWN = "garage_like."
_OPTIONS = "options"
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):\n((?: .*\n|\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"^    (?=\S)", re.MULTILINE)
_GATHERED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def show_options(cls: type) -> None:
    """Complete the signature and the docstring of a class that was just made.

    A class of this framework takes over whatever it does not say itself. Another takes over what it
    hands up as `**options`, if it documents them as such.
    """
    constructor = vars(cls).get("__init__")
    constructor = getattr(constructor, "__wrapped__", constructor)
    called = vars(cls).get("__init__") or _constructor_above(cls)
    if not inspect.isfunction(called):
        return
    handed_up: Collection[str] = ()
    if inspect.isfunction(constructor):
        handed_up = _show_signature(cls, constructor)
    own = sections_of(cls)
    is_ours = cls.__module__.startswith(_OWN) and "<locals>" not in cls.__qualname__
    if cls.__doc__ is None or not (is_ours or handed_up):
        return
    if is_ours:
        handed_up = list(inspect.signature(called).parameters)[1:]
        if constructor is None:
            _describe(cls)
    lacking = [name for name in handed_up if name not in own.get("Args", {})]
    missing = {name: text for name in lacking if (text := _explained(cls, "Args", name))}
    if missing:
        write_section(cls, "Args", {**own.get("Args", {}), **missing}, inspect.signature(called))
        if not own.get("Raises"):
            write_section(cls, "Raises", _first(cls, "Raises"))


def _describe(cls: type) -> None:
    """Let a class that says one sentence, and has no constructor, be described as its base is."""
    sentence = inspect.cleandoc(cls.__doc__ or "")
    above = next((b.__doc__ for b in cls.__mro__[1:] if "__init__" in vars(b)), None) or ""
    description = _SECTION.split(inspect.cleandoc(above))[0].partition("\n\n")[2].strip()
    if description and "\n\n" not in sentence:
        cls.__doc__ = f"{sentence}\n\n{textwrap.indent(description, '    ')}\n    "


def show_fields(cls: type[Fields]) -> type[Fields]:
    """Let a dataclass explain the fields that it has from its bases, too."""
    bases = [sections_of(base).get("Attributes", {}) for base in cls.__mro__]
    write_section(cls, "Attributes", {k: v for section in bases for k, v in section.items()})
    if not sections_of(cls).get("Raises"):
        write_section(cls, "Raises", _first(cls, "Raises"))
    return cls


def takes_fields_of(fields: Any) -> Callable[[Function], Function]:
    """Let a function that hands its `**options` to a dataclass show and explain them.

    Args:
        fields: the dataclass.
    """

    def complete(function: Any) -> Any:
        own, above = inspect.signature(function), inspect.signature(fields)
        kept = [p for p in own.parameters.values() if p.name != _OPTIONS]
        function.__signature__ = own.replace(parameters=[*kept, *above.parameters.values()])
        known = {**sections_of(fields)["Attributes"], **sections_of(function).get("Args", {})}
        write_section(function, "Args", known, function.__signature__)
        return function

    return complete


def _show_signature(cls: type, constructor: Callable[..., None]) -> Collection[str]:
    """Give the class's constructor its whole signature; return which options it hands up."""
    own = inspect.signature(constructor)
    base = _constructor_above(cls)
    gathers = [p for p in own.parameters.values() if p.name == _OPTIONS and p.kind in _GATHERED]
    if base is None or not gathers:
        return ()
    above = inspect.signature(base)
    if list(own.parameters) == ["self", "args", _OPTIONS]:
        # Nothing of its own: it is called as the base is.
        vars(cls)["__init__"].__signature__ = above
        return ()
    named = _names(constructor, gathers[0].annotation)
    if named is None and f"**{_OPTIONS}" not in sections_of(cls).get("Args", {}):
        return ()
    options = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in above.parameters.values()
        if parameter.name not in own.parameters
        and parameter.default is not parameter.empty
        and (named is None or parameter.name in named)
    ]
    kept = [p for p in own.parameters.values() if p.kind not in _GATHERED]
    vars(cls)["__init__"].__signature__ = own.replace(parameters=[*kept, *options])
    return [option.name for option in options]


def _constructor_above(cls: type) -> Callable[..., None] | None:
    above = (vars(base).get("__init__") for base in cls.__mro__[1:-1])
    return next((found for found in above if inspect.isfunction(found)), None)


def _names(constructor: Callable[..., None], annotation: Any) -> Collection[str] | None:
    """Return which options `Unpack[SomeOptions]` allows; None if it is not written so."""
    if isinstance(annotation, str):
        found = re.fullmatch(r"(?:\w+\.)?Unpack\[(\w+)\]", annotation)
        module = sys.modules.get(constructor.__module__)
        allowed = getattr(module, found[1], None) if found else None
    else:
        allowed = next(iter(getattr(annotation, "__args__", ())), None)
    names = getattr(allowed, "__annotations__", None)
    return None if names is None else names.keys()


def sections_of(value: Any) -> Mapping[str, Mapping[str, str]]:
    """Return the sections of a docstring in Google's form: what stands there, by what it is about.

    A section that is a text is about nothing: its key is ''.
    """
    return _sections(getattr(value, "__doc__", None) or "")


@functools.cache
def _sections(doc: str) -> Mapping[str, Mapping[str, str]]:
    if ":\n" not in doc:
        return {}
    sections: dict[str, dict[str, str]] = {}
    for heading, body in _SECTION.findall(f"{inspect.cleandoc(doc)}\n"):
        entries = sections.setdefault(heading, {})
        for entry in _ENTRY.split(body)[1:]:
            name, colon, text = entry.rstrip().partition(":")
            entries[name if colon else ""] = text if colon else entry.rstrip()
    return sections


def write_section(
    value: Any,
    heading: str,
    entries: Mapping[str, str],
    signature: inspect.Signature | None = None,
) -> None:
    """Put a section into a docstring, in place of what it had, or before `Raises`, or last.

    Args:
        value: what has the docstring.
        heading: `Args`, say.
        entries: texts by what they are about.
        signature: whose order the entries follow, those that are none of its parameters last.
    """
    if signature is not None:
        names = [f"{_stars(p)}{p.name}" for p in signature.parameters.values()]
        others = [name for name in entries if name not in {*names, f"**{_OPTIONS}"}]
        entries = {name: entries[name] for name in [*names, *others] if name in entries}
    if not entries:
        return
    lines = "".join(f"    {name}:{text}\n" for name, text in entries.items())
    doc = f"{inspect.cleandoc(value.__doc__)}\n"
    places = {found[1]: found.span() for found in _SECTION.finditer(doc)}
    start, end = places.get(heading) or (places.get("Raises", (len(doc),))[0],) * 2
    section = f"{heading}:\n{lines}"
    doc = f"{doc[:start].rstrip()}\n\n{section}\n{doc[end:].lstrip()}".rstrip()
    value.__doc__ = textwrap.indent(doc, "    ").lstrip() + "\n    "


def _stars(parameter: inspect.Parameter) -> str:
    return {_GATHERED[0]: "*", _GATHERED[1]: "**"}.get(parameter.kind, "")  # type: ignore[call-overload]


def _explained(cls: type, heading: str, name: str) -> str | None:
    """Return what the nearest base says of an argument, or the part that it is handed to."""
    classes = (*cls.__mro__[1:], *getattr(cls, "EXPLAINED_BY", ()))
    found = (sections_of(base).get(heading, {}).get(name) for base in classes)
    return next((text for text in found if text), None)


def _first(cls: type, heading: str) -> Mapping[str, str]:
    return next(
        (found for base in cls.__mro__[1:] if (found := sections_of(base).get(heading))), {}
    )
