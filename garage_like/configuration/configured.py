"""Configured: objects that remember what they were constructed with, defaults included.

Snapshots show it, and a restore compares it: else an argument that was changed between two starts
would be lost without a word, since the snapshot's own objects come back. Kept as one line of JSON,
which a snapshot goes over as over one number.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypedDict

from garage_like.configuration.comparison import CLASS
from garage_like.configuration.garage_arguments import translate
from garage_like.configuration.plain_numbers import as_plain
from garage_like.configuration.plain_values import describe, to_json
from garage_like.configuration.shown_options import show_options

_ATTRIBUTE = "_configuration"
_OWN = "garage_like."
_NAME, _NAME_ATTRIBUTE = "name", "_name"
_NAMED = inspect.Parameter(
    _NAME, inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | None"
)
_NUMBERS = {"float": "a number", "int": "an integer", "bool": "True or False"}
_NEVER_NUMBERS = (str, list, tuple, dict)
_OR_NONE = " | None"
_LONGEST_LIST = 100
_MAX_DEPTH = 8


class Configured:
    """Remember the arguments of the constructor, on classes derived from this one.

    A subclass need do nothing. What is remembered is text: it keeps no argument alive.

    Attributes:
        EXPLAINED_BY: classes of parts, which explain the arguments that are handed to them.
    """

    EXPLAINED_BY: ClassVar[tuple[type, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Let the constructor of a new subclass note its arguments."""
        super().__init_subclass__(**options)
        constructor = vars(cls).get("__init__")
        if inspect.isfunction(constructor):
            cls.__init__ = _noting(constructor)  # type: ignore[method-assign]
        show_options(cls)

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Take other values for arguments of the constructor, in the middle of a run.

        Here those can be changed that an object keeps as attributes, under the same names, and that
        are numbers or texts. A class that makes something else of an argument overrides this.

        Args:
            values: JSON values, by argument.

        Raises:
            ValueError: if one cannot be changed, or is of another kind.
        """
        known = configuration_of(self) or {}
        for name, value in values.items():
            key, now = kept_argument(self, name)
            if key is None or now != known.get(name):
                raise ValueError(f"{type(self).__name__} cannot take another {name} in mid-run")
            vars(self)[key] = _of_the_kind_of(vars(self)[key], value, name)


def kept_argument(value: Any, name: str) -> tuple[str | None, Any]:
    """Return the attribute in which an object keeps an argument, and the plain value it has.

    The attribute is None if there is none, or if what it holds is no number, text or list of such.
    """
    attributes = getattr(value, "__dict__", {})
    for key in (name, f"_{name}"):
        if key in attributes and _is_plain(attributes[key]):
            return key, to_json(attributes[key])
    return None, None


def note_arguments(value: Any, arguments: Mapping[str, Any]) -> None:
    """Write down that an object goes on as if it had been constructed with other arguments.

    Args:
        value: an object that remembers what it was constructed with.
        arguments: JSON values, by argument.
    """
    vars(value)[_ATTRIBUTE] = json.dumps({**(configuration_of(value) or {}), **arguments})


def changed_options(spec: Any, optimizer: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments that an optimizer is to go on with.

    Args:
        spec: the name of its class, or a list of it and the arguments.
        optimizer: of that class.
        known: arguments that can be changed.

    Raises:
        ValueError: if the class is another, or an argument cannot be changed.
    """
    name, options = spec if isinstance(spec, list) and len(spec) == 2 else (spec, {})
    if name != describe(type(optimizer)):
        raise ValueError(f"the optimizer is a {describe(type(optimizer))}, and stays one")
    unknown = [key for key in options if key not in known]
    if unknown:
        raise ValueError(f"{unknown[0]} cannot be changed; {', '.join(known)} can")
    return dict(options)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return len(value) <= _LONGEST_LIST and all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _of_the_kind_of(old: Any, new: Any, name: str) -> Any:
    """Return a new value as the type that the old one has, as far as one can tell."""
    if isinstance(old, tuple) and isinstance(new, list):
        return tuple(new)
    kinds = (bool, int | float, str, list | tuple)
    for kind in () if old is None or new is None else kinds:
        if isinstance(old, kind) != isinstance(new, kind):
            raise ValueError(f"{name} is {old!r}, and cannot become {new!r} in mid-run")
        if isinstance(old, kind):
            break
    return new


class NameOption(TypedDict, total=False):
    """What every constructor of a class that is `Named` takes."""

    name: str | None


class Named(Configured):
    """Take `name=` in every constructor.

    It is in the configuration that snapshots record and, if it is given, in the keys of the log.
    Constructors list it for readers and type checkers alone: it is noted here, for all of them.

    Args:
        name: what it is called where it is told of; None for the name of its class.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Show the argument in the signature."""
        super().__init_subclass__(**options)
        constructor: Any = vars(cls).get("__init__")
        if inspect.isfunction(constructor):
            shown = inspect.signature(constructor)
            if _NAME not in shown.parameters:
                *first, last = shown.parameters.values()
                gathers = last.kind is inspect.Parameter.VAR_KEYWORD
                parameters = [*first, _NAMED, last] if gathers else [*first, last, _NAMED]
                constructor.__signature__ = shown.replace(parameters=parameters)  # type: ignore[attr-defined]
                show_options(cls)

    @property
    def name(self) -> str:
        """What it is called: the name that it was given, or that of its class."""
        return given_name(self) or type(self).__name__


def given_name(value: Any) -> str | None:
    """Return the name that a component was given; None if it was given none."""
    name = getattr(value, "__dict__", {}).get(_NAME_ATTRIBUTE)
    return name if isinstance(name, str) else None


def configuration_text(value: Any) -> str | None:
    """Return what an object was constructed with as a line of JSON; None if that is not known."""
    text = getattr(value, "__dict__", {}).get(_ATTRIBUTE)
    return text if isinstance(text, str) else None


def configuration_of(value: Any) -> dict[str, Any] | None:
    """Return the class of an object, and what it was constructed with, by name of the argument.

    Arguments that are such objects themselves are described in the same way. None if an object's
    class does not derive from Configured.
    """
    text = configuration_text(value)
    return None if text is None else json.loads(text)


def _noting(constructor: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(constructor)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        signature = _signature(constructor)
        if kwargs:
            kwargs = translate(_owner(type(self), constructor), kwargs, type(self).__name__)
            further = getattr(type(self), "arguments_of_garage", None)
            if further is not None:
                kwargs = further(kwargs, kwargs.get("policy", args[1] if len(args) > 1 else None))
            if getattr(type(self).__init__, "__wrapped__", None) is constructor:
                _refuse_unknown(type(self), constructor, kwargs)
        name = kwargs.get(_NAME)
        if isinstance(self, Named) and _NAME not in signature.parameters:
            kwargs.pop(_NAME, None)
        noted = _arguments(signature, self, args, kwargs)  # before the constructor changes them
        if noted and name is None:
            name = noted.get(_NAME)
        if constructor.__module__.startswith(_OWN):
            args = tuple(map(as_plain, args))
            kwargs = {key: as_plain(value) for key, value in kwargs.items()}
            if any(isinstance(value, _NEVER_NUMBERS) for value in (*args, *kwargs.values())):
                _refuse_other_kinds(type(self), signature, args, kwargs)
        constructor(self, *args, **kwargs)
        if isinstance(self, Named) and name is not None:
            vars(self)[_NAME_ATTRIBUTE] = str(name)
        if noted is not None:
            _note(self, signature, noted)

    return construct


def _owner(cls: type, constructor: Callable[..., None]) -> type:
    """Return the class that reads the arguments: what one hands up is for its base to read."""
    bases: tuple[Any, ...] = cls.__mro__
    return next(
        (base for base in bases if getattr(base.__init__, "__wrapped__", None) is constructor), cls
    )


@functools.cache
def _signature(constructor: Callable[..., None]) -> inspect.Signature:
    """Look a signature up: no closure holds it, since classes may be pickled by value."""
    return inspect.signature(constructor)


def _refuse_unknown(cls: type, constructor: Callable[..., None], kwargs: Mapping[str, Any]) -> None:
    """Raise TypeError for an argument that a base would have to refuse, by a name of its own."""
    shown = inspect.signature(cls).parameters
    gathers = constructor.__code__.co_flags & inspect.CO_VARKEYWORDS
    if not gathers or any(p.kind is p.VAR_KEYWORD for p in shown.values()):
        return  # Python says it by itself, or nobody knows
    for name in kwargs:
        if name not in shown:
            near = difflib.get_close_matches(name, shown, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(shown)}"
            raise TypeError(f"{cls.__name__}: no argument is called {name!r}; {hint}")


def _refuse_other_kinds(
    cls: type, signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """Raise TypeError for a text or a list where the constructor asks for a number alone."""
    given = {**dict(zip([*signature.parameters][1:], args, strict=False)), **kwargs}
    for name in given.keys() & signature.parameters.keys():
        kind = str(signature.parameters[name].annotation)
        wanted = _NUMBERS.get(kind.removesuffix(_OR_NONE))
        if wanted is not None and isinstance(given[name], _NEVER_NUMBERS):
            none = _OR_NONE.replace("|", "or") if kind.endswith(_OR_NONE) else ""
            raise TypeError(f"{cls.__name__}: {name} must be {wanted}{none}, got {given[name]!r}")


def _arguments(
    signature: inspect.Signature, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """Describe all arguments, by name; None if they are wrong, as the constructor will say."""
    try:
        bound = signature.bind(self, *args, **kwargs)
    except TypeError:
        return None
    bound.apply_defaults()
    _, *names = bound.arguments
    return {name: _described(bound.arguments[name]) for name in names}


def _note(self: Any, signature: inspect.Signature, noted: dict[str, Any]) -> None:
    """Write arguments down on the object; those that are passed on to a base are known by name."""
    cls: Any = type(self)
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    gathered = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if any(kinds[name] in gathered for name in noted):
        of_the_base = configuration_of(self)
        if of_the_base is not None:
            named = {name: value for name, value in noted.items() if kinds[name] not in gathered}
            hides = inspect.Parameter.VAR_POSITIONAL not in kinds.values()
            left_out = _required(cls) if hides else ()
            noted = {k: v for k, v in of_the_base.items() if k not in left_out} | named
    noted = {name: _as_constructed(self, name, value) for name, value in noted.items()}
    if isinstance(self, Named):  # a run that was saved when nothing had a name is the same run
        noted.pop(_NAME, None)
        name = given_name(self)
        noted = noted if name is None else {**noted, _NAME: name}
    named = getattr(cls, "configured_as", cls)  # a class that computes the same, elsewhere
    noted = {CLASS: f"{named.__module__}.{named.__qualname__}", **_without_class(noted)}
    vars(self)[_ATTRIBUTE] = json.dumps(noted)


def _as_constructed(self: Any, name: str, value: Any) -> Any:
    """Return what an argument came to: the part that the constructor made if it was given None.

    What is made later, such as a sampler at the first epoch, stays None: else a run that has
    begun would not equal the same run that has just been set up.
    """
    if value is not None:
        return value
    default = getattr(type(self), "_default_optimizer", None)
    if default is not None and name.endswith("_optimizer"):
        return _described(default)
    attributes = {**vars(self), **(vars(self).get("_modules") or {})}
    made = (configuration_of(attributes.get(attribute)) for attribute in (name, f"_{name}"))
    return next((found for found in made if found is not None), None)


@functools.cache
def _required(cls: type) -> frozenset[str]:
    """Return what constructors of bases cannot do without: a class that passes it names its own."""
    required: set[str] = set()
    for base in cls.__mro__:
        constructor = vars(base).get("__init__")
        if constructor is not None and hasattr(constructor, "__wrapped__"):
            parameters = inspect.signature(constructor).parameters.items()
            required.update(name for name, p in parameters if p.default is p.empty)
    return frozenset(required)


def _without_class(noted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in noted.items() if name != CLASS}


def _described(value: Any, depth: int = 0) -> Any:
    """Turn an argument into JSON; an object that says nothing of itself becomes its class."""
    known = configuration_of(value)
    if known is not None:
        return known
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return {str(key): _described(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            if len(value) > _LONGEST_LIST:
                return f"{type(value).__name__} of {len(value)}"
            return [_described(item, depth + 1) for item in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if field.compare]
            parts = {name: _described(getattr(value, name, None), depth + 1) for name in names}
            return {CLASS: describe(type(value)), **parts}
    if _shows_itself(value):
        try:
            return to_json(value)
        except Exception as error:  # whatever a stranger's repr raises, constructing shall not fail
            return f"{describe(type(value))}, which cannot be shown: {type(error).__name__}"
    return describe(type(value))


def _shows_itself(value: Any) -> bool:
    """Tell whether what an object shows of itself is short, and equal for equal objects."""
    plain = (type(None), bool, int, float, str, set, frozenset, enum.Enum, functools.partial, type)
    return (
        isinstance(value, plain)
        or any(hasattr(value, name) for name in ("__array__", "__fspath__", "__qualname__"))
        or any(cls.__module__.startswith("gymnasium.") for cls in type(value).__mro__)
    )
