"""Trying settings: what a part says to other arguments is found out on copies, before it changes.

A copy takes them as the part itself would. Where the arguments of the constructor can be had back
from the part, another is constructed with the new ones: what it refuses is refused here, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from garage_like.configuration.configured import configuration_of, kept_argument
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.kinds.environments import EnvStates
from garage_like.snapshot.rng import global_rng_untouched

_NUMBERS = (bool, int, float, type(None))
_KEPT_AS = {"baseline": ["_value_function"]}  # as TensorFlow's algorithms call it


def try_settings(part: Any, arguments: Mapping[str, Any], known: EnvStates) -> None:
    """Raise what a part raises when it is given other arguments; leave the part as it is.

    Args:
        part: of a restored run.
        arguments: JSON values, by argument of the constructor.
        known: what is known of environments.

    Raises:
        ValueError: if one is out of range, or cannot be changed.
        TypeError: if one has the wrong type.
    """
    with global_rng_untouched():
        try:
            copied, other = (copy_exactly(part, known, leave_out_memory=True) for _ in range(2))
        except Exception:  # then the part itself is changed, or refuses
            return
        copied.change_arguments(arguments)
        changed = _as_the_constructor_takes_it(copied, arguments)
        for kept in (_kept_by(other), _kept_by(other, required_alone=True)):
            try:
                type(other)(**kept)
            except Exception:  # what it was made of cannot be had back from it
                continue
            type(other)(**{**kept, **changed})
            return


def _as_the_constructor_takes_it(changed: Any, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments that are plain, lists as the tuples that they were."""
    found = {}
    for name, value in arguments.items():
        key, _ = kept_argument(changed, name)
        if key is not None:
            found[name] = vars(changed)[key]
        elif isinstance(value, _NUMBERS):
            found[name] = value
    return found


def _kept_by(part: Any, required_alone: bool = False) -> dict[str, Any]:
    """Return arguments that would construct a part like this one, as far as it keeps them."""
    noted, found = configuration_of(part) or {}, {}
    for name, parameter in inspect.signature(type(part)).parameters.items():
        keys = (f"_{name}", name, *_KEPT_AS.get(name, ()))
        key = next((key for key in keys if hasattr(part, key)), None)
        if isinstance(noted.get(name, ()), _NUMBERS):
            found[name] = noted[name]
        elif key is not None and (parameter.default is parameter.empty or not required_alone):
            found[name] = getattr(part, key)
    return found
