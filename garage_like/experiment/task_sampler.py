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
        wrapper: what is put around the innermost environment, given it and the task; None keeps
            what is around it.
    """

    wrapper: Callable[[Environment, Any], Environment] | None = None  # of older snapshots

    def __init__(
        self, task: Any, wrapper: Callable[[Environment, Any], Environment] | None = None
    ) -> None:
        self.task = task
        self.wrapper = wrapper

    def __call__(self, env: Environment) -> Environment:
        """Change the environment's task; return it."""
        env.set_task(self.task)  # type: ignore[attr-defined]
        if self.wrapper is None:
            return env
        return self.wrapper(getattr(env, "unwrapped", env), self.task)


class SetTaskSampler(TaskSampler):
    """Draw tasks by an environment's own `sample_tasks`.

    Args:
        env_constructor: makes an environment with `sample_tasks(num_tasks)` and `set_task(task)`,
            such as PointEnv; it is called once, and the environment is asked for tasks only.

        env: has them already; instead of one that is made.
        wrapper: maps a worker's environment and its task to what the worker is to step; None
            changes the task of the environment that it has.

    Raises:
        TypeError: if the environment lacks one of them.
    """

    _wrapper: Callable[[Environment, Any], Environment] | None = None  # in older snapshots

    def __init__(
        self,
        env_constructor: Callable[[], Any],
        *,
        env: Any = None,
        wrapper: Callable[[Environment, Any], Environment] | None = None,
    ) -> None:
        self._env = env_constructor() if env is None else env
        self._wrapper = wrapper
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
        return [SetTask(task, self._wrapper) for task in self._env.sample_tasks(n_tasks)]
