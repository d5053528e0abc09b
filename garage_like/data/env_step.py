"""One env step, and where in its episode it lies."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple

from garage_like.data.env_spec import EnvSpec

if TYPE_CHECKING:
    import numpy as np


class StepType(enum.IntEnum):
    """Where in its episode a step lies; bootstrapping depends on TERMINAL against TIMEOUT.

    FIRST and MID go on. TERMINAL ends the episode: there is no return after it. TIMEOUT cuts the
    episode off (a limit on its length): return would have followed, so a value is bootstrapped.
    """

    FIRST = 0
    MID = 1
    TERMINAL = 2
    TIMEOUT = 3

    @classmethod
    def get_step_type(
        cls,
        step_cnt: int,
        max_episode_length: int | None,
        terminated: bool = False,
        truncated: bool = False,
        *,
        done: bool = False,
    ) -> StepType:
        """Classify the step just taken.

        Args:
            step_cnt: steps taken in this episode, this one included; at least 1.
            max_episode_length: limit on them, or None.
            terminated: the environment says that the episode is over.
            truncated: the environment says that the episode was cut off.
            done: garage's name for `terminated`.
        """
        if step_cnt < 1:
            raise ValueError(
                f"step_cnt counts the step just taken, so it is at least 1; got {step_cnt}"
            )
        if terminated or done:
            return cls.TERMINAL
        if truncated or (max_episode_length is not None and step_cnt >= max_episode_length):
            return cls.TIMEOUT
        return cls.FIRST if step_cnt == 1 else cls.MID


class PlaceInEpisode:
    """Tell where in its episode a step lies, by its `step_type`."""

    __slots__ = ()

    @property
    def step_type(self) -> StepType:
        """What tells it."""
        raise NotImplementedError(f"{type(self).__name__} must have a step_type")

    @property
    def first(self) -> bool:
        """Whether this is the first step of its episode, and does not end it."""
        return self.step_type == StepType.FIRST

    @property
    def mid(self) -> bool:
        """Whether this is neither the first step of its episode nor the last."""
        return self.step_type == StepType.MID

    @property
    def terminal(self) -> bool:
        """Whether the episode terminated with this step (a timeout is no termination)."""
        return self.step_type == StepType.TERMINAL

    @property
    def timeout(self) -> bool:
        """Whether the episode was cut off at this step."""
        return self.step_type == StepType.TIMEOUT

    @property
    def last(self) -> bool:
        """Whether the episode ended with this step, either way."""
        return self.step_type >= StepType.TERMINAL


class _EnvStep(NamedTuple):
    env_spec: EnvSpec
    action: Any
    reward: float
    observation: Any
    env_info: dict[str, Any]
    step_type: StepType


class EnvStep(_EnvStep, PlaceInEpisode):
    """One env step, as `Environment.step` returns it.

    Attributes:
        env_spec: the environment's.
        action: shape (A*,).
        reward: undiscounted.
        observation: shape (O*,), *after* the action.
        env_info: whatever else the environment reports.
        step_type: tells termination from truncation.
    """

    __slots__ = ()


class VectorStep(NamedTuple):
    """What one step of N environments gives.

    Attributes:
        observations: shape (N, O*), what comes next; where an episode ended and a new one has
            begun, its first observation.
        rewards: shape (N,).
        terminated: shape (N,), bool.
        ended: shape (N,), bool, terminated or truncated.
        last_observations: of the episodes that ended, shape (M, O*); None if `observations` has
            them, since the next step does nothing but begin new episodes there.
        infos: as gymnasium gives them.
    """

    observations: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    last_observations: np.ndarray | None
    infos: dict[str, Any]
