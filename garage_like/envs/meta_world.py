"""Environments of Meta-World's benchmarks (Yu et al. 2020, arXiv:1910.10897) as ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from garage_like import seeding
from garage_like.data.batches import EnvStep
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.gym_env import GymEnv
from garage_like.envs.task_wrappers import TaskNameWrapper, TaskOnehotWrapper
from garage_like.interfaces import Environment

Wrap = Callable[[Any, Any], Environment]
"""Maps an environment and its task to what is stepped."""


class TasksByClass:
    """Know the tasks of a benchmark by their classes, and how an environment of each is wrapped.

    Args:
        owner: whose arguments the rest are, for messages.
        benchmark: such as `metaworld.ML10()`.
        kind: which of its tasks: 'train' or 'test'.
        wrapper: what is put around each environment, given it and its task, besides GymEnv and
            TaskNameWrapper; None for nothing.
        add_env_onehot: tell in observations, as a one-hot vector, which class of tasks it is.

    Attributes:
        classes: of environments, by name.
        tasks: of each class, by its name.
        wrap: what is around an environment.

    Raises:
        ValueError: if kind is neither, or a one-hot vector would tell what tests must not.
    """

    def __init__(
        self, owner: str, benchmark: Any, kind: str, wrapper: Wrap | None, add_env_onehot: bool
    ) -> None:
        if kind not in ("train", "test"):
            raise ValueError(f"{owner}: kind must be 'train' or 'test', got {kind!r}")
        self.classes: dict[str, type] = dict(getattr(benchmark, f"{kind}_classes"))
        are_known = set(benchmark.test_classes) <= set(benchmark.train_classes)
        if add_env_onehot and kind == "test" and not are_known:
            raise ValueError(
                f"{owner}: add_env_onehot would number classes of tests that are not those of "
                "training; leave it out for this benchmark"
            )
        numbers = {name: k for k, name in enumerate(self.classes)}
        self.wrap = _WrapMetaWorld(numbers, wrapper, add_env_onehot)
        self.tasks: dict[str, list[Any]] = defaultdict(list)
        for task in getattr(benchmark, f"{kind}_tasks"):
            self.tasks[task.env_name].append(task)


class _WrapMetaWorld:
    """Make an Environment of one of Meta-World's, which tells the name of its class of tasks."""

    def __init__(self, numbers: dict[str, int], wrapper: Wrap | None, add_onehot: bool) -> None:
        self._numbers = numbers
        self._wrapper = wrapper
        self._add_onehot = add_onehot

    def __call__(self, env: Any, task: Any) -> Environment:
        number = self._numbers[task.env_name]
        # Copied or unpickled, theirs come back with the actions of the arm's motors as their space.
        known: dict[str, Any] = vars(self).setdefault("_actions", {})
        if env.action_space != known.setdefault(task.env_name, env.action_space):
            env.action_space = known[task.env_name]
        wrapped: Environment = GymEnv(env, max_episode_length=env.max_path_length)
        wrapped = TaskNameWrapper(wrapped, task_name=task.env_name, task_id=number)
        if self._add_onehot:
            wrapped = TaskOnehotWrapper(wrapped, number, len(self._numbers))
        return wrapped if self._wrapper is None else self._wrapper(wrapped, task)


class MetaWorldSetTaskEnv(Environment):
    """Play any task of a benchmark of Meta-World, which `set_task` turns to.

    Environments of a class are made when one of its tasks is first played, and kept.

    Args:
        benchmark: such as `metaworld.ML10()`; needs the extra `metaworld`.
        kind: which of its tasks: 'train' or 'test'.
        wrapper: what is put around each environment, given it and its task, besides GymEnv and
            TaskNameWrapper; None for nothing.
        add_env_onehot: tell in observations, as a one-hot vector, which class of tasks it is.

    Raises:
        ValueError: if kind is neither, or a one-hot vector would tell what tests must not.
    """

    _playing: str | None = None  # of snapshots from before it was kept

    def __init__(
        self,
        benchmark: Any,
        kind: Literal["train", "test"],
        wrapper: Wrap | None = None,
        add_env_onehot: bool = False,
    ) -> None:
        self._by_class = TasksByClass(type(self).__name__, benchmark, kind, wrapper, add_env_onehot)
        self._made: dict[str, Any] = {}
        self._rng = seeding.stream("MetaWorldSetTaskEnv")
        first = next(iter(self._by_class.tasks.values()))[0]
        self.set_task(first)

    @property
    def num_tasks(self) -> int:
        """How many tasks there are, of all classes."""
        return sum(map(len, self._by_class.tasks.values()))

    def sample_tasks(self, n_tasks: int) -> list[Any]:
        """Draw tasks of all classes, as `set_task` takes them; none twice before all have come."""
        everything = [task for tasks in self._by_class.tasks.values() for task in tasks]
        rounds = [
            self._rng.permutation(len(everything)) for _ in range(-(-n_tasks // self.num_tasks))
        ]
        return [everything[k] for k in np.concatenate(rounds)[:n_tasks]]

    def set_task(self, task: Any) -> None:
        """Turn to a task; the next call must be `reset`."""
        if task.env_name not in self._made:
            self._made[task.env_name] = self._by_class.classes[task.env_name]()
        inner = self._made[task.env_name]
        inner.set_task(task)
        self._env = self._by_class.wrap(inner, task)
        self._playing = task.env_name
        self.needs_reset = True

    @property
    def current_env(self) -> Environment:
        """The environment that is played now."""
        return self._env

    @property
    def spec(self) -> EnvSpec:
        return self._env.spec

    @property
    def render_modes(self) -> list[str]:
        return self._env.render_modes

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.needs_reset = False
        return self._env.reset(seed=seed)

    def step(self, action: Any) -> EnvStep:
        step = self._env.step(action)
        self.needs_reset = self._env.needs_reset
        return step

    def render(self, mode: str = "rgb_array") -> Any:
        return self._env.render(mode)

    def close(self) -> None:
        self._env.close()  # with the wrappers around it
        for name, inner in self._made.items():
            if name != self._playing:
                inner.close()
