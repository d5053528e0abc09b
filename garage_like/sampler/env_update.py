"""Environment updates: what turns a worker's environment into the one of its next task.

A sampler's `env_update` is one of them for all workers, or a list of one for each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from garage_like.data.env_layers import layers_of
from garage_like.interfaces import Environment

Wrap = Callable[[Any, Any], Environment]
"""Puts wrappers around an environment, given it and its task."""


class EnvUpdate:
    """Return the environment to step next, given the one that was stepped last: here, the same."""

    def __call__(self, old_env: Environment | None = None) -> Any:
        """Return the environment to step next.

        Args:
            old_env: what was stepped last, which may be changed and returned; None if there is
                none.
        """
        return old_env


def apply_env_update(old_env: Any, env_update: Any) -> tuple[Any, bool]:
    """Return the environment to step next, and whether an update said so.

    Args:
        old_env: what was stepped last.
        env_update: an environment, or a callable that is given `old_env`; None for no change.

    Raises:
        TypeError: if it is neither.
    """
    if env_update is None:
        return old_env, False
    if isinstance(env_update, Environment):
        return env_update, True
    if not callable(env_update):
        raise TypeError(f"expected an Environment or an EnvUpdate, got {env_update!r}")
    return env_update(old_env), True


class NewEnvUpdate(EnvUpdate):
    """Make an environment again.

    Args:
        env_constructor: makes it.
    """

    def __init__(self, env_constructor: Callable[[], Any]) -> None:
        self._env_constructor = env_constructor

    def __call__(self, old_env: Environment | None = None) -> Any:
        return self._env_constructor()


class ExistingEnvUpdate(EnvUpdate):
    """Take an environment that there is already, as it is.

    Args:
        env: the environment. Where several workers are to step it, all but the first step copies.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env

    def __call__(self, old_env: Environment | None = None) -> Any:
        return self._env


class SetTaskUpdate(EnvUpdate):
    """Turn an environment to a task by its `set_task`.

    The environment that was stepped last is kept if it, or what it wraps, is of the right type;
    else one is made.

    Args:
        env_type: the class that has `set_task`, or any function that makes such an environment.
        task: what `set_task` takes.
        wrapper_constructor: what is put around the environment that has `set_task`, given it and
            the task; None keeps what is around it.
    """

    def __init__(
        self, env_type: Callable[[], Any], task: Any, wrapper_constructor: Wrap | None = None
    ) -> None:
        self._env_type = env_type
        self.task = task
        self._wrapper_constructor = wrapper_constructor

    def __call__(self, old_env: Environment | None = None) -> Any:
        inner = None if old_env is None else self._layer_with_tasks(old_env)
        if inner is None:
            inner = self._env_type()
            old_env = None
        inner.set_task(self.task)
        if self._wrapper_constructor is not None:
            return self._wrapper_constructor(inner, self.task)
        return inner if old_env is None else old_env

    def _layer_with_tasks(self, env: Environment) -> Any:
        wanted = self._env_type if isinstance(self._env_type, type) else object
        for layer in layers_of(env):
            # Wrappers of ours pass the name on, so objects cannot be asked.
            if callable(getattr(type(layer), "set_task", None)) and isinstance(layer, wanted):
                return layer
        return None
