"""NormalizedEnv: actions, observations and rewards brought to a common scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from garage_like import seeding
from garage_like.configuration.extension_points import overrides
from garage_like.data.batches import EnvStep
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.normalized_vector import TINY, NormalizedVector, moved
from garage_like.envs.space_seeds import seed_spaces
from garage_like.envs.wrapper import Wrapper
from garage_like.interfaces import Environment, VectorEnvironment


class NormalizedEnv(Wrapper):
    """Scale actions, and if asked for, normalise observations and rewards.

    Actions in [-expected_action_scale, expected_action_scale] are stretched to the environment's
    bounds, and clipped to them; dimensions without bounds are left alone. The mean and variance of
    observations and rewards are running ones, updated at each step (and for observations at each
    reset): `m += alpha * (x - m)`. Rewards are divided by their standard deviation and not
    centred. Each copy of the environment has its own, as has each of N that are stepped at once:
    those begin with what the NormalizedEnv knows when a worker takes it, and tell it what they know
    together after each batch. They stand still while `update_running_mean` is False, as in
    gymnasium's wrappers.

    Args:
        scale_reward: factor for rewards, after they are normalised.
        normalize_obs: normalise observations; they must be arrays of numbers (Box).
        normalize_reward: normalise rewards.
        expected_action_scale: the size of actions that stands for the environment's bounds.
        flatten_obs: hand normalised observations out as 1-D arrays.
        obs_alpha: weight of the newest observation.
        reward_alpha: weight of the newest reward.

    Raises:
        ValueError: if a number is out of range, or observations to be normalised are no arrays.
    """

    _obs_count = 0  # in snapshots of before they were counted
    _reward_count = 0
    update_running_mean = True

    def __init__(
        self,
        env: Environment,
        scale_reward: float = 1.0,
        normalize_obs: bool = False,
        normalize_reward: bool = False,
        expected_action_scale: float = 1.0,
        flatten_obs: bool = True,
        obs_alpha: float = 0.001,
        reward_alpha: float = 0.001,
    ) -> None:
        super().__init__(env)
        for name, value in (("obs_alpha", obs_alpha), ("reward_alpha", reward_alpha)):
            if not 0.0 < value <= 1.0:
                raise ValueError(f"NormalizedEnv: {name} must be in (0, 1], got {value!r}")
        if not 0.0 < expected_action_scale < math.inf:
            raise ValueError(
                "NormalizedEnv: expected_action_scale must be positive and finite, got "
                f"{expected_action_scale!r}"
            )
        self._scale_reward = scale_reward
        self._normalize_obs = normalize_obs
        self._normalize_reward = normalize_reward
        self._flatten_obs = flatten_obs
        self._obs_alpha = obs_alpha
        self._reward_alpha = reward_alpha
        self._reward_mean = 0.0
        self._reward_var = 1.0
        observation_space, action_space = env.observation_space, env.action_space
        if normalize_obs:
            observation_space = self._normalized_space(observation_space)
            self._obs_mean = np.zeros(observation_space.shape)
            self._obs_var = np.ones(observation_space.shape)
        self._scales_actions = isinstance(action_space, gymnasium.spaces.Box) and np.issubdtype(
            action_space.dtype, np.floating
        )
        if self._scales_actions:
            action_space = self._scaled_space(action_space, expected_action_scale)
        self._seeded = False
        self._spec = EnvSpec(observation_space, action_space, env.spec.max_episode_length)

    def _normalized_space(self, space: gymnasium.Space) -> gymnasium.spaces.Box:
        if not isinstance(space, gymnasium.spaces.Box):
            raise ValueError(
                f"NormalizedEnv: normalize_obs needs observations in a Box, got {space!r}"
            )
        shape = (int(np.prod(space.shape)),) if self._flatten_obs else space.shape
        dtype = space.dtype if np.issubdtype(space.dtype, np.floating) else np.dtype(np.float32)
        return gymnasium.spaces.Box(-np.inf, np.inf, shape, dtype.type)

    def _scaled_space(self, space: Any, scale: float) -> gymnasium.spaces.Box:
        """Find how actions are stretched; return the space of those before."""
        bounded = np.isfinite(space.low) & np.isfinite(space.high)
        low, high = np.where(bounded, space.low, -scale), np.where(bounded, space.high, scale)
        self._action_centre = (low + high) / 2
        self._action_stretch = (high - low) / (2 * scale)
        return gymnasium.spaces.Box(
            np.where(bounded, -scale, space.low).astype(space.dtype),
            np.where(bounded, scale, space.high).astype(space.dtype),
            dtype=space.dtype.type,
        )

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    def normalizers(self) -> dict[str, dict[str, Any]]:
        """Return `mean`, `var` and `count` of what is normalised: `observation`, `reward`.

        The variance is one, and no standard deviation. Values far back count next to nothing, see
        `obs_alpha`; `count` tells how many there were.
        """
        found: dict[str, dict[str, Any]] = {}
        if self._normalize_obs:
            found["observation"] = {
                "mean": self._obs_mean.copy(),
                "var": self._obs_var.copy(),
                "count": self._obs_count,
            }
        if self._normalize_reward:
            found["reward"] = {
                "mean": self._reward_mean,
                "var": self._reward_var,
                "count": self._reward_count,
            }
        return found

    def set_normalizer(self, name: str, values: Mapping[str, Any]) -> None:
        """Go on from other running statistics.

        Args:
            name: of what is normalised: `observation` or `reward`; others are left alone.
            values: `mean`, `var` and `count`, as `normalizers` returns them.
        """
        if name == "observation" and self._normalize_obs:
            mean, variance = self._checked(values["mean"], values["var"])
            self.take(name, {**values, "mean": mean, "var": variance})
        elif name == "reward" and self._normalize_reward:
            self.take(name, values)

    def take(self, name: str, values: Mapping[str, Any]) -> None:
        """Go on from running statistics of what is normalised, whatever they are."""
        if name == "observation":
            self._obs_mean, self._obs_var = values["mean"], values["var"]
            self._obs_count = int(values["count"])
        else:
            self._reward_mean, self._reward_var = float(values["mean"]), float(values["var"])
            self._reward_count = int(values["count"])

    @property
    def observation_statistics(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Copies of the running mean and variance of observations; None if not normalised."""
        if not self._normalize_obs:
            return None
        return self._obs_mean.copy(), self._obs_var.copy()

    def set_observation_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Go on from another running mean and variance of observations.

        Raises:
            ValueError: if observations are not normalised, the shapes differ from theirs, or a
                variance is negative or anything is not finite.
        """
        if not self._normalize_obs:
            raise ValueError("NormalizedEnv: normalize_obs is off, so there are no statistics")
        self._obs_mean, self._obs_var = self._checked(mean, variance)

    def _checked(self, mean: Any, variance: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return copies of them; raise an error if they are none of observations."""
        shape = self._obs_mean.shape
        mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
        if not mean.size == variance.size == self._obs_mean.size:
            raise ValueError(
                f"NormalizedEnv: expected mean and variance of shape {shape}, got {mean.shape} and"
                f" {variance.shape}"
            )
        if not np.isfinite(mean).all() or not np.isfinite(variance).all() or (variance < 0).any():
            raise ValueError("NormalizedEnv: expected finite means and variances from 0")
        return mean.reshape(shape).copy(), variance.reshape(shape).copy()

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        observation, episode_info = self._env.reset(seed=seed)
        if seed is None and not self._seeded:
            seed = seeding.integer_seed("env")
        if seed is not None:
            seed_spaces(seed, self.action_space, self.observation_space)
            self._seeded = True
        return self._normalized(observation), episode_info

    def step(self, action: Any) -> EnvStep:
        """Take one env step; the EnvStep holds the action as it was given."""
        step = self._env.step(self.to_bounds(action))
        return step._replace(
            env_spec=self._spec,
            action=action,
            reward=self._scaled_reward(step.reward),
            observation=self._normalized(step.observation),
        )

    def vector_form(self, n_envs: int, max_episode_length: int | None) -> VectorEnvironment | None:
        """Return what steps N environments like this one at once; None if nothing does.

        Args:
            n_envs: N.
            max_episode_length: env steps after which an episode is cut off (TIMEOUT).
        """
        if overrides(self, NormalizedEnv, "reset", "step"):
            return None
        vector = self._env.vector_form(n_envs, max_episode_length)
        return None if vector is None else NormalizedVector(self, vector)

    @property
    def alphas(self) -> dict[str, float]:
        """Of observations and rewards, the weight of the newest."""
        return {"observation": self._obs_alpha, "reward": self._reward_alpha}

    def to_bounds(self, actions: Any) -> Any:
        """Stretch actions, of one environment or of N, to the bounds of what is wrapped."""
        if not self._scales_actions:
            return actions
        space: Any = self._env.action_space
        stretched = self._action_centre + np.asarray(actions) * self._action_stretch
        return np.clip(stretched, space.low, space.high).astype(space.dtype)

    def as_scaled(self, rewards: Any) -> Any:
        """Multiply normalised rewards by `scale_reward`."""
        return rewards * self._scale_reward

    def as_given_out(self, observations: np.ndarray) -> np.ndarray:
        """Give normalised observations the dtype of the space."""
        return observations.astype(self._spec.observation_space.dtype)

    def _scaled_reward(self, reward: float) -> Any:
        if self._normalize_reward:
            if self.update_running_mean:
                self._reward_count += 1
                self._reward_mean, self._reward_var = moved(
                    self._reward_mean, self._reward_var, self._reward_alpha, reward
                )
            reward /= math.sqrt(self._reward_var) + TINY
        return self.as_scaled(reward)

    def _normalized(self, observation: np.ndarray) -> np.ndarray:
        if not self._normalize_obs:
            return observation
        if self._flatten_obs:
            observation = observation.reshape(-1)
        if self.update_running_mean:
            self._obs_count += 1
            self._obs_mean, self._obs_var = moved(
                self._obs_mean, self._obs_var, self._obs_alpha, observation
            )
        return self.as_given_out((observation - self._obs_mean) / (np.sqrt(self._obs_var) + TINY))


class NormalizedReward(NormalizedEnv):
    """Divide rewards by their running standard deviation; leave observations and actions alone.

    For several tasks at once, each in a wrapper of its own: none outweighs the others.

    Raises:
        ValueError: if reward_alpha is out of range.
    """

    def __init__(
        self, env: Environment, scale_reward: float = 1.0, reward_alpha: float = 0.001
    ) -> None:
        super().__init__(
            env, scale_reward=scale_reward, normalize_reward=True, reward_alpha=reward_alpha
        )
        self._scales_actions = False
        self._spec = env.spec


normalize = NormalizedEnv
