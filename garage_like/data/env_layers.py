"""Layers: an environment, and all that it wraps, ours or gymnasium's; loads neither."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from garage_like.interfaces import Environment, VectorEnvironment


def is_gymnasium_class(cls: type) -> bool:
    """Tell whether a class is one of gymnasium environments or wrappers; loads nothing."""
    gymnasium = sys.modules.get("gymnasium")
    return gymnasium is not None and issubclass(cls, gymnasium.Env | gymnasium.vector.VectorEnv)


def layers_of(env: Any) -> list[Any]:
    """Return an environment and what it wraps, from the outside in."""
    found: list[Any] = []
    while not any(env is other for other in found):
        found.append(env)
        if isinstance(getattr(env, "envs", None), list) and is_gymnasium_class(type(env)):
            env = env.envs[0]  # of a vector environment, whose N are alike
        elif is_gymnasium_class(type(env)):
            env = env if env.unwrapped is env else getattr(env, "env", env.unwrapped)
        else:
            # A vector environment of ours also knows the single one that it was made of.
            ours = VectorEnvironment if isinstance(env, VectorEnvironment) else Environment
            inner = (
                value
                for value in getattr(env, "__dict__", {}).values()
                if isinstance(value, ours) or is_gymnasium_class(type(value))
            )
            env = next(inner, env)
    return found


def maker_of(env: Any) -> Callable[[], Any] | None:
    """Return what made an environment, if it was given to GymEnv as a function."""
    made = (getattr(layer, "__dict__", {}).get("_make") for layer in layers_of(env))
    return next((make for make in made if callable(make)), None)


def forwards_names(cls: type) -> bool:
    """Tell whether a class of the user's answers for names that it lacks, as wrappers do.

    A bare object of such a class asks itself for `__setstate__`, and then for what it wraps,
    without end; so it is neither copied nor unpickled by asking it anything.
    """
    lookup = getattr(cls, "__getattr__", None)
    package = getattr(lookup, "__module__", "").partition(".")[0]
    return (
        lookup is not None
        and package not in ("garage_like", "gymnasium")
        and not hasattr(cls, "__setstate__")
        and cls.__reduce_ex__ is object.__reduce_ex__
        and cls.__getstate__ is object.__getstate__
    )
