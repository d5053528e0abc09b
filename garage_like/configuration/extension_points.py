"""Methods that nobody calls are refused where they are defined, not passed over in silence.

A program written for garage overrides methods that are called there. Some are called here too; for
the others, a class says what takes their place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class ExtensionPoints:
    """Refuse subclasses, outside this framework, that define what is never called.

    Attributes:
        REPLACED: what to define instead, by the method that is never called: its name, or its name
            and parameters where the name alone means something else here.
    """

    REPLACED: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Look through what a new subclass defines.

        Raises:
            TypeError: if one of its methods would never be called.
        """
        super().__init_subclass__(**options)
        if cls.__module__.startswith("garage_like."):
            return
        for base in cls.__mro__:
            for method, instead in vars(base).get("REPLACED", {}).items():
                if _defines(cls, method):
                    raise TypeError(
                        f"{cls.__qualname__} defines {method.partition('(')[0]}, which"
                        f" {base.__name__} does not call as garage does; define {instead} instead"
                    )


def overrides(value: Any, base: type, *names: str) -> bool:
    """Tell whether an object has methods of its own where a class of the framework has these."""
    return bool(getattr(value, "__dict__", {}).keys() & {*names}) or any(
        getattr(type(value), name, None) is not getattr(base, name) for name in names
    )


def _defines(cls: type, method: str) -> bool:
    name, _, parameters = method.partition("(")
    found = vars(cls).get(name)
    if found is None or not parameters:
        return found is not None
    return _parameters(found) == parameters.rstrip(")").split(", ")


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)[1:] if callable(function) else []
