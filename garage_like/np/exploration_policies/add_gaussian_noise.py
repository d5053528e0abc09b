"""AddGaussianNoise: shake actions, independently at each step."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Actor, Policy
from garage_like.np.exploration_policies.exploration_policy import ExplorationPolicy, decay
from garage_like.sampler.framework_actor import ActorAround


class AddGaussianNoise(ExplorationPolicy):
    """Add normally distributed noise to another policy's actions, within the action space.

    Args:
        env_spec: its action space is a Box.
        total_timesteps: env steps of the whole run.
        max_sigma: standard deviation at the start, in the units of the actions.
        min_sigma: when it has fallen.
        decay_ratio: part of the run in which it falls, linearly.

    Raises:
        ValueError: if actions are discrete, or a number is out of range.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        total_timesteps: int,
        max_sigma: float = 1.0,
        min_sigma: float = 0.1,
        decay_ratio: float = 1.0,
        name: str | None = None,
    ) -> None:
        check_box("AddGaussianNoise", env_spec)
        super().__init__(env_spec, policy)
        self._schedule = decay(
            "AddGaussianNoise", "sigma", max_sigma, min_sigma, total_timesteps, decay_ratio
        )

    @property
    def sigma(self) -> float:
        """Standard deviation now."""
        return self._schedule.value(self._env_steps)

    def metrics(self) -> dict[str, float]:
        """Return `Exploration/Noise`, the standard deviation."""
        return {"Exploration/Noise": self.sigma}

    def _explorer(self, actor: Actor) -> Actor:
        space = self._env_spec.action_space
        assert isinstance(space, spaces.Box)
        return GaussianNoiseActor(actor, self.sigma, space.low, space.high)


class GaussianNoiseActor(ActorAround):
    """Add noise to another actor's actions.

    Args:
        actor: the other one.
        sigma: standard deviation.
        low: shape (A*,), no action is below.
        high: shape (A*,), no action is above.
    """

    def __init__(self, actor: Actor, sigma: float, low: np.ndarray, high: np.ndarray) -> None:
        super().__init__(actor)
        self._sigma = np.float32(sigma)
        self._low = low
        self._high = high

    def instead(
        self, actions: np.ndarray, infos: dict[str, np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """Return the actions and noise, shape (N, A*)."""
        noisy = rng.standard_normal(actions.shape, np.float32)
        noisy *= self._sigma
        noisy += actions
        np.maximum(noisy, self._low, out=noisy)
        return np.minimum(noisy, self._high, out=noisy)


def check_box(owner: str, env_spec: EnvSpec) -> None:
    """Raise ValueError unless actions are numbers."""
    if not isinstance(env_spec.action_space, spaces.Box):
        raise ValueError(
            f"{owner} needs a Box action space, got {env_spec.action_space!r}; for a Discrete one "
            "there is EpsilonGreedyPolicy"
        )
