"""Wrapper: an environment around another, the same in everything that a subclass leaves alone."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from garage_like.data.batches import EnvStep
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Environment


class Wrapper(Environment):
    """Pass everything on to another environment; subclasses change what they must.

    Public attributes that a wrapper lacks are looked up in what it wraps.

    Args:
        env: what is wrapped.

    Raises:
        TypeError: if it is no Environment.
    """

    def __init__(self, env: Environment) -> None:
        if not isinstance(env, Environment):
            hint = "; wrap it in GymEnv first" if isinstance(env, gymnasium.Env) else ""
            raise TypeError(f"{type(self).__name__}: env must be an Environment, got {env!r}{hint}")
        self._env = env

    def __getattr__(self, name: str) -> Any:
        """Look a public attribute up in the wrapped environment."""
        # Copying and unpickling look names up before there is an `_env`.
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._env, name)

    @property
    def needs_reset(self) -> bool:
        """Whether the next call must be `reset`."""
        return self._env.needs_reset

    @needs_reset.setter
    def needs_reset(self, value: bool) -> None:
        self._env.needs_reset = value

    @property
    def n_envs(self) -> int:  # type: ignore[override]
        """How many environments it stands for: as many as what is wrapped."""
        return self._env.n_envs

    @property
    def wrapped(self) -> Environment:
        """What this is a wrapper of."""
        return self._env

    @property
    def unwrapped(self) -> Environment:
        """The innermost environment."""
        return self._env.unwrapped if isinstance(self._env, Wrapper) else self._env

    @property
    def spec(self) -> EnvSpec:
        return self._env.spec

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        return self._env.reset(seed=seed)

    def step(self, action: Any) -> EnvStep:
        return self._env.step(action)

    @property
    def render_modes(self) -> list[str]:
        return self._env.render_modes

    def render(self, mode: str = "rgb_array") -> Any:
        return self._env.render(mode)

    def visualize(self) -> None:
        self._env.visualize()

    def close(self) -> None:
        self._env.close()
