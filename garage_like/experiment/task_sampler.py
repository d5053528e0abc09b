"""Task samplers: which tasks the workers of a meta-learning algorithm play next."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

from garage_like.interfaces import Environment


class TaskSampler(abc.ABC):
    """Draw tasks."""

    @abc.abstractmethod
    def sample(self, n_tasks: int) -> list[Callable[[Environment], Environment]]:
        """Return what turns a worker's environment to its task, one for each of `n_tasks`.

        It is what `trainer.obtain_episodes` takes as `env_update`.
        """


class SetTask:
    """Turn an environment to a task by its `set_task`.

    Args:
        task: what `set_task` takes.
    """

    def __init__(self, task: Any) -> None:
        self.task = task

    def __call__(self, env: Environment) -> Environment:
        """Change the environment's task; return it."""
        env.set_task(self.task)  # type: ignore[attr-defined]
        return env


class SetTaskSampler(TaskSampler):
    """Draw tasks by an environment's own `sample_tasks`.

    Args:
        env_constructor: makes an environment with `sample_tasks(num_tasks)` and `set_task(task)`,
            such as PointEnv; it is called once, and the environment is asked for tasks only.

    Raises:
        TypeError: if the environment lacks one of them.
    """

    def __init__(self, env_constructor: Callable[[], Any]) -> None:
        self._env = env_constructor()
        for method in ("sample_tasks", "set_task"):
            if not callable(getattr(self._env, method, None)):
                raise TypeError(
                    f"SetTaskSampler: the environment must have a method {method}, got "
                    f"{self._env!r}"
                )

    def sample(self, n_tasks: int) -> list[Callable[[Environment], Environment]]:
        """Draw tasks.

        Raises:
            ValueError: if n_tasks is not positive.
        """
        if n_tasks < 1:
            raise ValueError(f"SetTaskSampler: n_tasks must be at least 1, got {n_tasks!r}")
        return [SetTask(task) for task in self._env.sample_tasks(n_tasks)]
