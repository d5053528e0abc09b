"""UniformRandomPolicy: what fills replay memory before there is anything to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from garage_like import seeding
from garage_like.configuration.configured import Named
from garage_like.data.env_spec import EnvSpec, OfEnv


class UniformRandomPolicy(Named, OfEnv):
    """Take any action with equal probability, whatever is observed.

    Args:
        env_spec: its action space is Discrete, or a Box; where a Box has no bounds, numbers are
            drawn from a normal distribution instead.

    Raises:
        ValueError: if the action space is something else.
    """

    def __init__(self, env_spec: EnvSpec, name: str | None = None) -> None:
        if not isinstance(env_spec.action_space, spaces.Discrete | spaces.Box):
            raise ValueError(
                "UniformRandomPolicy needs a Discrete or Box action space, got "
                f"{env_spec.action_space!r}"
            )
        self._env_spec = env_spec
        self._rng = seeding.stream("uniform random policy")

    @property
    def env_spec(self) -> EnvSpec:
        """The environment to act in."""
        return self._env_spec

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions, shape (N, A*) or (N,), drawn from the caller's generator."""
        space, count = self._env_spec.action_space, len(observations)
        if isinstance(space, spaces.Discrete):
            return rng.integers(space.n, size=count) + space.start, {}
        assert isinstance(space, spaces.Box)
        shape = (count, *space.shape)
        if space.dtype.kind in "iu":
            whole: Any = space.dtype
            return rng.integers(space.low, space.high, shape, whole, endpoint=True), {}
        if space.is_bounded("both"):
            actions = rng.uniform(space.low, space.high, shape)
        else:
            low, high = space.low, space.high
            bounded = np.isfinite(low) & np.isfinite(high)
            uniform = rng.uniform(np.where(bounded, low, 0.0), np.where(bounded, high, 1.0), shape)
            normal = np.clip(rng.standard_normal(shape), low, high)
            actions = np.where(bounded, uniform, normal)
        return actions.astype(space.dtype), {}

    def actor(self) -> UniformRandomPolicy:
        """Return itself: it has no weights."""
        return self

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action for one observation of shape (O*,)."""
        return self.get_actions(np.asarray(observation)[None])[0][0], {}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions, drawn from the policy's own generator."""
        return self.act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: there is nothing to forget."""

    def get_param_values(self) -> np.ndarray:
        """Return an empty vector: there are no weights."""
        return np.zeros(0, np.float32)

    def set_param_values(self, params: Any) -> None:
        """Do nothing."""
