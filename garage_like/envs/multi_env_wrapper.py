"""MultiEnvWrapper: several tasks as one environment, a task for each episode."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np

from garage_like import seeding
from garage_like.data.batches import EnvStep
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.task_wrappers import append_onehot, with_onehot
from garage_like.envs.wrapper import Wrapper
from garage_like.interfaces import Environment

Strategy = Callable[..., int]
"""Maps the number of tasks and the last one (None at first) to the next; it may take `rng`, too."""


def uniform_random_strategy(
    num_tasks: int, last_task: int | None = None, *, rng: np.random.Generator | None = None
) -> int:
    """Draw the next task, each as likely as any other.

    Args:
        num_tasks: how many there are.
        last_task: not used.
        rng: what it is drawn from; None for NumPy's global generator.
    """
    return int(np.random.randint(num_tasks) if rng is None else rng.integers(num_tasks))


def round_robin_strategy(num_tasks: int, last_task: int | None = None) -> int:
    """Take tasks in turn.

    Args:
        num_tasks: how many there are.
        last_task: the one before; None begins with the first.
    """
    return 0 if last_task is None else (last_task + 1) % num_tasks


class MultiEnvWrapper(Wrapper):
    """Play another of several environments in each episode.

    Each env step says which in `env_info['task_id']`, and its name in `'task_name'`.

    Args:
        envs: of equal action spaces, and observation spaces of equal shape.
        sample_strategy: chooses the task of the next episode; one that takes `rng` draws from a
            generator of the environment's own, which `reset(seed=...)` seeds.
        mode: 'add-onehot' appends to observations a one-hot vector of the task, 'del-onehot' takes
            the one away that observations end with, 'vanilla' leaves them alone.
        env_names: names of the tasks, all different; None for none.

    Raises:
        ValueError: if there is no environment, one does not go with the others, or names or the
            mode are wrong.
    """

    def __init__(
        self,
        envs: Sequence[Environment],
        sample_strategy: Strategy = uniform_random_strategy,
        mode: Literal["vanilla", "add-onehot", "del-onehot"] = "add-onehot",
        env_names: Sequence[str] | None = None,
    ) -> None:
        if not envs:
            raise ValueError("MultiEnvWrapper: expected at least one environment, got none")
        if mode not in ("vanilla", "add-onehot", "del-onehot"):
            raise ValueError(
                f"MultiEnvWrapper: mode must be 'vanilla', 'add-onehot' or 'del-onehot', got "
                f"{mode!r}"
            )
        _check_names(env_names, len(envs))
        super().__init__(envs[0])
        for env in envs:
            if env.action_space != self._env.action_space:
                raise ValueError(
                    "MultiEnvWrapper: action spaces of all environments must be equal, got "
                    f"{self._env.action_space!r} and {env.action_space!r}"
                )
            if env.observation_space.shape != self._env.observation_space.shape:
                raise ValueError(
                    "MultiEnvWrapper: observation spaces must have one shape, got "
                    f"{self._env.observation_space!r} and {env.observation_space!r}"
                )
        self._task_envs = list(envs)
        self._sample_strategy = sample_strategy
        self._mode = mode
        self._names = None if env_names is None else list(env_names)
        self._active_task_index: int | None = None
        self._rng: np.random.Generator | None = None
        self._spec = self._spec_of(envs[0].spec)

    def _spec_of(self, spec: EnvSpec) -> EnvSpec:
        """Return what observations are here, given what they are in an environment."""
        if self._mode == "add-onehot":
            return with_onehot(spec, self.num_tasks)
        if self._mode == "vanilla":
            return spec
        space: Any = spec.observation_space
        if not isinstance(space, gymnasium.spaces.Box) or space.shape[-1] <= self.num_tasks:
            raise ValueError(
                f"MultiEnvWrapper: mode='del-onehot' needs observations that end with "
                f"{self.num_tasks} numbers for the task, got {space!r}"
            )
        low, high = space.low[: -self.num_tasks], space.high[: -self.num_tasks]
        shorter = gymnasium.spaces.Box(low, high, dtype=space.dtype.type)
        return EnvSpec(shorter, spec.action_space, spec.max_episode_length)

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    @property
    def num_tasks(self) -> int:
        """How many environments there are."""
        return len(self._task_envs)

    @property
    def task_space(self) -> gymnasium.spaces.Box:
        """The space of one-hot vectors of tasks."""
        return gymnasium.spaces.Box(0.0, 1.0, (self.num_tasks,), np.float32)

    @property
    def active_task_index(self) -> int | None:
        """Which task is played; None before the first episode."""
        return self._active_task_index

    @property
    def active_task_name(self) -> str | None:
        """Its name, if it has one."""
        if self._names is None or self._active_task_index is None:
            return None
        return self._names[self._active_task_index]

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode of the next task.

        Args:
            seed: seeds all environments, each in a way of its own, and what tasks are drawn from.
        """
        if seed is None and self._rng is None:
            seed = seeding.integer_seed("env")
        if seed is not None:
            self._rng = seeding.stream("MultiEnvWrapper", entropy=seed)
            for number, env in enumerate(self._task_envs):
                env.reset(seed=seeding.integer_seed("env", number, entropy=seed))
        self._active_task_index = task = self._next_task()
        self._env = self._task_envs[task]
        observation, episode_info = self._env.reset()
        return self._with_task(observation), episode_info

    def _next_task(self) -> int:
        draws = "rng" in inspect.signature(self._sample_strategy).parameters
        options = {"rng": self._rng} if draws else {}
        task = self._sample_strategy(self.num_tasks, self._active_task_index, **options)
        if not 0 <= task < self.num_tasks:
            raise ValueError(
                f"MultiEnvWrapper: sample_strategy must return a number in [0, {self.num_tasks}), "
                f"got {task!r}"
            )
        return int(task)

    def step(self, action: Any) -> EnvStep:
        step = self._env.step(action)
        told: dict[str, Any] = {"task_id": self._active_task_index}
        if self._names is not None:
            told["task_name"] = self.active_task_name
        return step._replace(
            env_spec=self._spec,
            observation=self._with_task(step.observation),
            env_info={**told, **step.env_info},
        )

    def _with_task(self, observation: np.ndarray) -> np.ndarray:
        if self._mode == "vanilla":
            return observation
        if self._mode == "del-onehot":
            return observation[: -self.num_tasks]
        assert self._active_task_index is not None
        return append_onehot(observation, self._active_task_index, self.num_tasks)

    def close(self) -> None:
        for env in self._task_envs:
            env.close()


def _check_names(names: Sequence[str] | None, n_envs: int) -> None:
    if names is None:
        return
    if len(names) != n_envs:
        raise ValueError(
            f"MultiEnvWrapper: expected a name for each of {n_envs} environments, got {len(names)}"
        )
    doubled = [name for name, group in itertools.groupby(sorted(names)) if len(list(group)) > 1]
    if doubled:
        raise ValueError(f"MultiEnvWrapper: names must be all different, got {doubled} twice")
