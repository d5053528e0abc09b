"""RL2Env: observations that tell what the last action brought."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from garage_like.data.batches import EnvStep
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.wrapper import Wrapper
from garage_like.interfaces import Environment


class RL2Env(Wrapper):
    """Append the previous action, its reward and whether it ended an episode to observations.

    Duan et al. 2016, arXiv:1611.02779, section 2.2. A trial is several episodes of one task: the
    first observation of its later episodes tells of the last step of the episode before, and the
    first of the trial has zeros. `begin_trial` begins a trial; RL2Worker calls it.

    Args:
        env: its observations and actions become flat numbers; discrete ones one-hot.

    Raises:
        TypeError: if it is no Environment.
    """

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        inner = env.spec
        dim = inner.observation_dim + inner.action_dim + 2
        self._spec = EnvSpec(
            gymnasium.spaces.Box(-np.inf, np.inf, (dim,), np.float32),
            inner.action_space,
            inner.max_episode_length,
        )
        self._last_step = np.zeros(inner.action_dim + 2, np.float32)

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    def begin_trial(self) -> None:
        """Forget the last step; call it before the first episode of a trial is begun."""
        self._last_step = np.zeros_like(self._last_step)

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        observation, episode_info = self._env.reset(seed=seed)
        return self._extend(observation), episode_info

    def step(self, action: Any) -> EnvStep:
        step = self._env.step(action)
        flat = gymnasium.spaces.flatten(self.action_space, action)
        self._last_step = np.array(
            [*np.asarray(flat).reshape(-1), step.reward, step.last], np.float32
        )
        return step._replace(env_spec=self._spec, observation=self._extend(step.observation))

    def _extend(self, observation: Any) -> np.ndarray:
        flat = gymnasium.spaces.flatten(self._env.observation_space, observation)
        return np.concatenate([np.asarray(flat, np.float32), self._last_step])
