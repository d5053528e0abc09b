"""Callbacks of Stable-Baselines3: which there are, and what of each belongs to the run."""

from __future__ import annotations

import functools
import types
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from garage_like.trainer.namespace import is_code

_NOT_STATE = frozenset(
    ("model", "locals", "globals", "parent", "logger", "training_env", "pbar", "tb_formatter")
)


def callbacks_in(callback: BaseCallback | None) -> list[BaseCallback]:
    """Return a callback and all that it calls, each once."""
    found: list[BaseCallback] = []
    waiting: list[Any] = [callback]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, BaseCallback) and not any(value is other for other in found):
            found.append(value)
            waiting += [v for name, v in vars(value).items() if name != "parent"]
    return found


def state_of(callback: BaseCallback) -> dict[str, Any]:
    """Return the attributes of a callback that are the run's, and not the script's.

    Functions are the script's; a network can be called, too, and is not.
    """
    return {
        name: value
        for name, value in vars(callback).items()
        if name not in _NOT_STATE and not (_is_callback(value) or _is_function(value))
    }


def _is_function(value: Any) -> bool:
    return is_code(value) or isinstance(value, types.MethodType | functools.partial)


def _is_callback(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, BaseCallback) for item in value)
    return isinstance(value, BaseCallback)
