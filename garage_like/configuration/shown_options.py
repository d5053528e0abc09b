"""What a constructor takes is shown where its class is looked at, and explained once.

An option that a constructor hands up to a base is spelled and explained by the base that takes it,
an argument that several classes take by the first of them, and one that is handed to a part by
that part (`EXPLAINED_BY`). `help` and the API pages read the signature and the docstring of the
class, so both are completed from those.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence, Set
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
    shown = above = _signature_along(cls.__mro__[1:-1])
    handed_up: Collection[str] = ()
    constructor = vars(cls).get("__init__")
    if inspect.isfunction(constructor):
        shown, handed_up = _completed(cls, constructor, above)
        if handed_up or shown is above:
            constructor.__signature__ = shown  # type: ignore[attr-defined]
    elif constructor is not None or shown is None:
        return
    called = cls.__init__  # type: ignore[misc]
    if hasattr(cls, "__signature__") or (
        inspect.isfunction(called) and shown != inspect.signature(called)
    ):
        _, *parameters = shown.parameters.values()
        cls.__signature__ = shown.replace(parameters=parameters)  # type: ignore[attr-defined]
    own = sections_of(cls)
    is_ours = cls.__module__.startswith(_OWN) and "<locals>" not in cls.__qualname__
    if cls.__doc__ is None or not (is_ours or handed_up):
        return
    if is_ours:
        handed_up = list(shown.parameters)[1:]
        if constructor is None:
            _describe(cls)
    lacking = [name for name in handed_up if name not in own.get("Args", {})]
    missing = {name: text for name in lacking if (text := _explained(cls, "Args", name))}
    if missing:
        write_section(cls, "Args", {**own.get("Args", {}), **missing}, shown)
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


def _signature_along(line: Sequence[type]) -> inspect.Signature | None:
    """Return what the first constructor of a line of classes takes, with all that it hands up.

    The line is that of the class that is made: a constructor on a mixin hands up to what comes
    after it there, which the mixin itself does not know.
    """
    constructors = (inspect.isfunction(vars(cls).get("__init__")) for cls in line)
    at = next(itertools.compress(itertools.count(), constructors), -1)
    if at < 0:
        return None
    cls, after = line[at], line[at + 1 :]
    constructor = vars(cls)["__init__"]
    if after == cls.__mro__[1:-1]:
        return inspect.signature(constructor)
    return _completed(cls, constructor, _signature_along(after))[0]


def _completed(
    cls: type, constructor: Callable[..., None], above: inspect.Signature | None
) -> tuple[inspect.Signature, Collection[str]]:
    """Return a constructor's whole signature, and which options it hands up.

    Args:
        cls: the class that it is the constructor of.
        constructor: with what it remembers its arguments by around it.
        above: of the constructor that it hands its options to, if not to a part (EXPLAINED_BY).
    """
    function: Callable[..., None] = getattr(constructor, "__wrapped__", constructor)
    known, own = inspect.signature(constructor), inspect.signature(function)
    gathers = [p for p in own.parameters.values() if p.name == _OPTIONS and p.kind in _GATHERED]
    if not gathers:
        return known, ()
    if above is not None and list(own.parameters) == ["self", "args", _OPTIONS]:
        return above, ()  # nothing of its own: it is called as the base is
    named = _names(function, gathers[0].annotation)
    is_open = any(p.kind is p.VAR_KEYWORD for p in known.parameters.values())
    if named is None and is_open and f"**{_OPTIONS}" not in sections_of(cls).get("Args", {}):
        return known, ()
    takers = [] if above is None else [above]
    is_for_a_part = named is not None and not any(named & t.parameters.keys() for t in takers)
    if is_for_a_part:
        takers = [inspect.signature(part) for part in getattr(cls, "EXPLAINED_BY", ())]
    options = {
        parameter.name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for taker in takers
        for parameter in taker.parameters.values()
        if parameter.name not in own.parameters
        and parameter.default is not parameter.empty
        and (named is None or parameter.name in named)
    }
    if not options and named:  # they go to whatever is not told of here
        return known, ()
    kept = [p for p in own.parameters.values() if p.kind not in _GATHERED]
    whole = own.replace(parameters=[*kept, *options.values()])
    if is_for_a_part:  # no base notes what these are: the constructor does, as if it spelled them
        vars(function)["__signature__"] = whole
    return whole, list(options)


def _names(constructor: Callable[..., None], annotation: Any) -> Set[str] | None:
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
