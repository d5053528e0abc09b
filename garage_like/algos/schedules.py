"""Schedules: numbers that change while a run goes on, such as learning rates.

A schedule is a function of the env steps taken so far and remembers nothing, so a resumed run goes
on at the value at which it stopped.
"""

from __future__ import annotations

import abc
import math

from garage_like.configuration.configured import Configured


class Schedule(Configured, abc.ABC):
    """A number that depends on the env steps taken so far."""

    @abc.abstractmethod
    def value(self, env_steps: int) -> float:
        """Return the number after so many env steps."""


LearningRate = float | Schedule
"""A number, or one that changes with the env steps taken so far."""


class ConstantSchedule(Schedule):
    """Stay the same.

    Args:
        number: whatever it is.
    """

    def __init__(self, number: float) -> None:
        self._number = number

    def value(self, env_steps: int) -> float:
        return self._number


class LinearSchedule(Schedule):
    """Go from one number to another in a straight line, then stay there.

    Args:
        initial: at the start.
        final: from `env_steps` on.
        env_steps: how long it takes.
        start: env steps before it begins to change.

    Raises:
        ValueError: if env_steps is negative.
    """

    def __init__(self, initial: float, final: float, env_steps: int, start: int = 0) -> None:
        _check_duration("LinearSchedule", env_steps)
        self._initial = initial
        self._final = final
        self._env_steps = env_steps
        self._start = start

    def value(self, env_steps: int) -> float:
        progress = _progress(env_steps - self._start, self._env_steps)
        return self._initial + (self._final - self._initial) * progress


class CosineSchedule(Schedule):
    """Go from one number to another along half a cosine: slowly, fast, slowly.

    Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts.

    Args:
        initial: at the start.
        final: from `env_steps` on.
        env_steps: how long it takes.

    Raises:
        ValueError: if env_steps is negative.
    """

    def __init__(self, initial: float, final: float, env_steps: int) -> None:
        _check_duration("CosineSchedule", env_steps)
        self._initial = initial
        self._final = final
        self._env_steps = env_steps

    def value(self, env_steps: int) -> float:
        progress = _progress(env_steps, self._env_steps)
        left = 0.5 * (1.0 + math.cos(math.pi * progress))
        return self._final + (self._initial - self._final) * left


def as_schedule(owner: str, name: str, value: float | Schedule) -> Schedule:
    """Turn a positive number into a schedule; leave a schedule as it is.

    Raises:
        ValueError: if the number is not positive.
        TypeError: if it is neither.
    """
    if isinstance(value, Schedule):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{owner}: {name} must be a number or a Schedule, got {value!r}")
    if not value > 0.0:
        raise ValueError(f"{owner}: {name} must be positive, got {value!r}")
    return ConstantSchedule(float(value))


def _progress(done: int, duration: int) -> float:
    """Return how much of a duration has passed, in [0, 1]."""
    if done <= 0:
        return 0.0 if duration else 1.0
    return 1.0 if done >= duration else done / duration


def _check_duration(owner: str, env_steps: int) -> None:
    if env_steps < 0:
        raise ValueError(f"{owner}: env_steps must be 0 or more, got {env_steps!r}")
