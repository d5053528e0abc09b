"""Wrappers that tell which task an environment is: in observations, or beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np

from garage_like.data.batches import EnvStep
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.wrapper import Wrapper
from garage_like.interfaces import Environment


def with_onehot(spec: EnvSpec, n_tasks: int) -> EnvSpec:
    """Return a spec whose observations have a one-hot vector for a task behind them.

    Raises:
        ValueError: if observations are not rows of numbers.
    """
    space = spec.observation_space
    if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
        raise ValueError(
            f"observations must be rows of numbers for a one-hot vector behind them, got {space!r}"
        )
    zeros, ones = np.zeros(n_tasks), np.ones(n_tasks)
    low, high = np.concatenate([space.low, zeros]), np.concatenate([space.high, ones])
    dtype: Any = space.dtype
    extended = gymnasium.spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype.type)
    return EnvSpec(extended, spec.action_space, spec.max_episode_length)


def append_onehot(observation: np.ndarray, task: int, n_tasks: int) -> np.ndarray:
    """Return an observation with a one-hot vector behind it."""
    onehot = np.zeros(n_tasks, observation.dtype)
    onehot[task] = 1
    return np.concatenate([observation, onehot])


class TaskOnehotWrapper(Wrapper):
    """Append a one-hot vector to observations, which says which task it is.

    Each env step says so in `env_info['task_id']`, too.

    Args:
        env: observations are rows of numbers.
        task_index: which task it is.
        n_total_tasks: how many there are.

    Raises:
        ValueError: if the task is none of them, or observations are no rows.
    """

    def __init__(self, env: Environment, task_index: int, n_total_tasks: int) -> None:
        super().__init__(env)
        if not 0 <= task_index < n_total_tasks:
            raise ValueError(
                f"TaskOnehotWrapper: task_index must be in [0, n_total_tasks={n_total_tasks!r}), "
                f"got {task_index!r}"
            )
        self._task_index = task_index
        self._n_total_tasks = n_total_tasks
        self._spec = with_onehot(env.spec, n_total_tasks)

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        observation, episode_info = self._env.reset(seed=seed)
        return append_onehot(observation, self._task_index, self._n_total_tasks), episode_info

    def step(self, action: Any) -> EnvStep:
        step = self._env.step(action)
        observation = append_onehot(step.observation, self._task_index, self._n_total_tasks)
        told = {**step.env_info, "task_id": self._task_index}
        return step._replace(env_spec=self._spec, observation=observation, env_info=told)

    @classmethod
    def wrap_env_list(cls, envs: Sequence[Environment]) -> list[TaskOnehotWrapper]:
        """Wrap environments, each of which is a task."""
        return [cls(env, k, len(envs)) for k, env in enumerate(envs)]

    @classmethod
    def wrap_env_cons_list(
        cls, env_cons: Iterable[Callable[[], Environment]]
    ) -> list[Callable[[], TaskOnehotWrapper]]:
        """Wrap what makes environments, each of which is a task."""
        constructors = list(env_cons)
        return [_Wrapping(cls, make, k, len(constructors)) for k, make in enumerate(constructors)]


class _Wrapping:
    """Make an environment of one of several tasks; pickled by name, as a closure is not."""

    def __init__(
        self, cls: type[TaskOnehotWrapper], make: Callable[[], Environment], task: int, n_tasks: int
    ) -> None:
        self._cls, self._make, self._task, self._n_tasks = cls, make, task, n_tasks

    def __call__(self) -> TaskOnehotWrapper:
        return self._cls(self._make(), self._task, self._n_tasks)


class TaskNameWrapper(Wrapper):
    """Tell the task's name and number in the infos of each env step.

    Args:
        task_name: becomes `env_info['task_name']`; None for none.
        task_id: becomes `env_info['task_id']`; None for none.
    """

    def __init__(
        self, env: Environment, *, task_name: str | None = None, task_id: int | None = None
    ) -> None:
        super().__init__(env)
        told = {"task_name": task_name, "task_id": task_id}
        self._told = {key: value for key, value in told.items() if value is not None}

    def step(self, action: Any) -> EnvStep:
        step = self._env.step(action)
        return step._replace(env_info={**step.env_info, **self._told})
