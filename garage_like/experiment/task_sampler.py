"""Task samplers: which tasks the workers of a meta-learning algorithm play next.

They draw from named streams of the run, which go on after a resume where they were.
"""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np

from garage_like import seeding
from garage_like.envs.copy import copy_env
from garage_like.envs.meta_world import TasksByClass
from garage_like.interfaces import Environment
from garage_like.sampler.env_update import (
    EnvUpdate,
    ExistingEnvUpdate,
    NewEnvUpdate,
    SetTaskUpdate,
    Wrap,
)


class TaskSampler(abc.ABC):
    """Draw tasks."""

    @abc.abstractmethod
    def sample(self, n_tasks: int, with_replacement: bool = False) -> Sequence[EnvUpdate]:
        """Return what turns a worker's environment to its task, one for each of `n_tasks`.

        It is what `trainer.obtain_episodes` takes as `env_update`, alone or as a list.

        Args:
            n_tasks: how many are wanted.
            with_replacement: draw each task without regard to the others. Else none comes twice
                before all have come once.
        """

    @property
    def n_tasks(self) -> int | None:
        """How many tasks there are; None if that is not known, or without limit."""
        return None


class SetTaskSampler(TaskSampler):
    """Draw tasks by an environment's own `sample_tasks`.

    Args:
        env_constructor: makes an environment with `sample_tasks(num_tasks)` and `set_task(task)`,
            such as PointEnv; ours or gymnasium's.
        env: has them already, and is asked for tasks; None for one that is made.
        wrapper: maps a worker's environment and its task to what the worker is to step; None
            changes the task of the environment that it has.

    Raises:
        TypeError: if the environment lacks one of them.
    """

    # What older snapshots do not have.
    _env_constructor: Callable[[], Any] | None = None
    _wrapper: Wrap | None = None

    def __init__(
        self,
        env_constructor: Callable[[], Any],
        *,
        env: Any = None,
        wrapper: Wrap | None = None,
    ) -> None:
        self._env_constructor = env_constructor
        self._env = env_constructor() if env is None else env
        self._wrapper = wrapper
        for method in ("sample_tasks", "set_task"):
            if not callable(getattr(self._env, method, None)):
                raise TypeError(
                    f"SetTaskSampler: the environment must have a method {method}, got "
                    f"{self._env!r}"
                )

    @property
    def n_tasks(self) -> int | None:
        """What the environment says by `num_tasks`, if anything."""
        number: int | None = getattr(self._env, "num_tasks", None)
        return number

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[SetTaskUpdate]:
        """Draw tasks, as the environment draws them.

        Raises:
            ValueError: if n_tasks is not positive.
        """
        _check_number("SetTaskSampler", n_tasks)
        make: Any = self._env_constructor or type(self._env)
        if _must_be_told(make):
            make = AsAnother(self._env)
        tasks = self._env.sample_tasks(n_tasks)
        return [SetTaskUpdate(make, task, self._wrapper) for task in tasks]


class AsAnother:
    """Make an environment as another is: for a class whose constructor must be told something.

    Args:
        env: the other one.
    """

    def __init__(self, env: Any) -> None:
        self._env = env

    def __call__(self) -> Any:
        """Return a copy."""
        return copy_env(self._env)


def _must_be_told(make: Callable[..., Any]) -> bool:
    """Tell whether a constructor has arguments without defaults."""
    parameters = inspect.signature(make).parameters.values()
    gathers = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.default is p.empty and p.kind not in gathers for p in parameters)


class ConstructEnvsSampler(TaskSampler):
    """Draw tasks that are environments, made each time.

    Args:
        env_constructors: each makes the environment of one task.

    Raises:
        ValueError: if there is none.
    """

    def __init__(self, env_constructors: Iterable[Callable[[], Any]]) -> None:
        self._env_constructors = list(env_constructors)
        if not self._env_constructors:
            raise ValueError("ConstructEnvsSampler: expected at least one constructor, got none")
        self._rng = seeding.stream("ConstructEnvsSampler")

    @property
    def n_tasks(self) -> int:
        return len(self._env_constructors)

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[NewEnvUpdate]:
        """Draw constructors.

        Raises:
            ValueError: if n_tasks is not positive.
        """
        _check_number("ConstructEnvsSampler", n_tasks)
        order = _draw(self._rng, n_tasks, self.n_tasks, with_replacement)
        return [NewEnvUpdate(self._env_constructors[k]) for k in order]


class EnvPoolSampler(TaskSampler):
    """Draw tasks that are environments, made once: each goes on where it was.

    Args:
        envs: the environments.

    Raises:
        ValueError: if there is none.
    """

    def __init__(self, envs: Iterable[Environment]) -> None:
        self._envs = list(envs)
        if not self._envs:
            raise ValueError("EnvPoolSampler: expected at least one environment, got none")
        self._rng = seeding.stream("EnvPoolSampler")

    @property
    def n_tasks(self) -> int:
        return len(self._envs)

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[ExistingEnvUpdate]:
        """Draw environments.

        Raises:
            ValueError: if n_tasks is not positive, or without replacement more than there are.
        """
        _check_number("EnvPoolSampler", n_tasks)
        if n_tasks > len(self._envs) and not with_replacement:
            raise ValueError(
                f"EnvPoolSampler: n_tasks must be at most the {len(self._envs)} environments of "
                f"the pool, got {n_tasks!r}; call grow_pool({n_tasks!r}) first"
            )
        order = _draw(self._rng, n_tasks, len(self._envs), with_replacement)
        return [ExistingEnvUpdate(self._envs[k]) for k in order]

    def grow_pool(self, new_size: int) -> None:
        """Add copies of environments of the pool, each as likely as any other.

        Args:
            new_size: environments that there are to be.
        """
        missing = new_size - len(self._envs)
        if missing > 0:
            order = _draw(self._rng, missing, len(self._envs), with_replacement=False)
            self._envs += [copy_env(self._envs[k]) for k in order]


class MetaWorldTaskSampler(TaskSampler):
    """Draw tasks of a benchmark of Meta-World (Yu et al. 2020, arXiv:1910.10897).

    Args:
        benchmark: such as `metaworld.ML10()`; needs the extra `metaworld`.
        kind: which of its tasks: 'train' or 'test'.
        wrapper: what is put around each environment, given it and its task, besides GymEnv and
            TaskNameWrapper; None for nothing.
        add_env_onehot: tell in observations, as a one-hot vector, which class of tasks it is.

    Raises:
        ValueError: if kind is neither, or a one-hot vector would tell what tests must not.
    """

    def __init__(
        self,
        benchmark: Any,
        kind: Literal["train", "test"],
        wrapper: Wrap | None = None,
        add_env_onehot: bool = False,
    ) -> None:
        by_class = TasksByClass(type(self).__name__, benchmark, kind, wrapper, add_env_onehot)
        self._classes, self._tasks, self._wrap = by_class.classes, by_class.tasks, by_class.wrap
        self._rng = seeding.stream("MetaWorldTaskSampler")

    @property
    def n_tasks(self) -> int:
        return sum(map(len, self._tasks.values()))

    def sample(self, n_tasks: int, with_replacement: bool = False) -> list[SetTaskUpdate]:
        """Draw as many tasks of each class.

        Raises:
            ValueError: if n_tasks is not positive, or no multiple of the number of classes.
        """
        _check_number("MetaWorldTaskSampler", n_tasks)
        of_each, rest = divmod(n_tasks, len(self._classes))
        if rest:
            raise ValueError(
                f"MetaWorldTaskSampler: n_tasks must be a multiple of the {len(self._classes)} "
                f"classes of tasks, got {n_tasks!r}"
            )
        return [
            SetTaskUpdate(cls, self._tasks[name][k], self._wrap)
            for name, cls in self._classes.items()
            for k in _draw(self._rng, of_each, len(self._tasks[name]), with_replacement)
        ]


def _check_number(owner: str, n_tasks: int) -> None:
    if n_tasks < 1:
        raise ValueError(f"{owner}: n_tasks must be at least 1, got {n_tasks!r}")


def _draw(rng: np.random.Generator, wanted: int, there: int, with_replacement: bool) -> list[int]:
    """Draw numbers below `there`; without replacement none comes twice before all have come."""
    if with_replacement:
        return list(rng.integers(there, size=wanted).tolist())
    rounds = [rng.permutation(there) for _ in range(-(-wanted // there))]
    return list(np.concatenate(rounds)[:wanted].tolist())
