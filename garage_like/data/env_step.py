"""One env step, and where in its episode it lies."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from garage_like.data.env_spec import EnvSpec


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
        terminated: bool,
        truncated: bool = False,
    ) -> StepType:
        """Classify the step just taken.

        Args:
            step_cnt: steps taken in this episode, this one included; at least 1.
            max_episode_length: limit on them, or None.
            terminated: the environment says that the episode is over.
            truncated: the environment says that the episode was cut off.
        """
        if step_cnt < 1:
            raise ValueError(
                f"step_cnt counts the step just taken, so it is at least 1; got {step_cnt}"
            )
        if terminated:
            return cls.TERMINAL
        if truncated or (max_episode_length is not None and step_cnt >= max_episode_length):
            return cls.TIMEOUT
        return cls.FIRST if step_cnt == 1 else cls.MID


class EnvStep(NamedTuple):
    """One env step, as `Environment.step` returns it.

    Attributes:
        env_spec: the environment's.
        action: shape (A*,).
        reward: undiscounted.
        observation: shape (O*,), *after* the action.
        env_info: whatever else the environment reports.
        step_type: tells termination from truncation.
    """

    env_spec: EnvSpec
    action: Any
    reward: float
    observation: Any
    env_info: dict[str, Any]
    step_type: StepType

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
