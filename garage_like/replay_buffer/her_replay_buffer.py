"""HERReplayBuffer: replay memory that pretends that what was reached had been the goal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.replay_buffer.memory_files import FileFormat
from garage_like.replay_buffer.path_buffer import PathBuffer
from garage_like.replay_buffer.transitions import Transitions

RewardFunction = Callable[[np.ndarray, np.ndarray, dict[str, Any]], np.ndarray]
"""Maps achieved goals and desired goals, shape (B, G), and infos, to rewards, shape (B,)."""

_GOAL_KEYS = ("achieved_goal", "desired_goal")


class HERReplayBuffer(PathBuffer):
    """Replace the goal of some transitions by one that their episode reached later on.

    Hindsight experience replay, Andrychowicz et al. 2017, arXiv:1707.01495, strategy 'future'.
    Differs from the paper: goals are replaced when transitions are drawn, not when they are stored,
    so a transition is stored once and sees other goals each time. Step types stay as they were,
    which fits environments whose episodes go on at the goal.

    Args:
        replay_k: transitions with a replaced goal for each one with its own.
        reward_fn: computes rewards of a whole batch from achieved and desired goals, as
            `compute_reward` of gymnasium's goal environments does; must be picklable.
        env_spec: its observation space is a Dict of `observation`, `achieved_goal` and
            `desired_goal`, or was before GymEnv flattened it; transitions hold flattened ones.
        export_when_full: as in PathBuffer.
        export_format: as in PathBuffer.

    Raises:
        ValueError: if replay_k is negative, or the observations have no goals.
        TypeError: if reward_fn cannot be called.
    """

    def __init__(
        self,
        replay_k: float,
        reward_fn: RewardFunction,
        capacity_in_transitions: int,
        env_spec: EnvSpec,
        *,
        export_when_full: str | os.PathLike[str] | None = None,
        export_format: FileFormat = "pt",
    ) -> None:
        if not 0.0 <= replay_k < math.inf:
            raise ValueError(f"HERReplayBuffer: replay_k must be 0 or more, got {replay_k!r}")
        if not callable(reward_fn):
            raise TypeError(
                "HERReplayBuffer: reward_fn must be a function of achieved goals, desired goals "
                f"and infos, got {reward_fn!r}"
            )
        before = env_spec.flattened_from
        space = env_spec.observation_space if before is None else before
        self._goal_slices = _goal_slices(space)
        flat = EnvSpec(
            spaces.flatten_space(space),
            env_spec.action_space,
            env_spec.max_episode_length,
        )
        super().__init__(
            capacity_in_transitions,
            flat,
            export_when_full=export_when_full,
            export_format=export_format,
        )
        self._replay_k = replay_k
        self._reward_fn = reward_fn

    def sample_transitions(self, batch_size: int) -> Transitions:
        """Draw transitions, of which replay_k / (1 + replay_k) have a replaced goal.

        Returns:
            As in PathBuffer; observations are flattened.

        Raises:
            ValueError: if nothing is stored, or reward_fn does not return one reward for each.
        """
        table = self._filled_table("sample_transitions")
        rows = self._draw_rows(table, batch_size)
        transitions = table.take(rows)
        chosen = self._rng.random(batch_size) < self._replay_k / (1.0 + self._replay_k)
        if chosen.any():
            self._replace_goals(transitions, rows, np.flatnonzero(chosen))
        return transitions

    def _replace_goals(
        self, transitions: Transitions, rows: np.ndarray, chosen: np.ndarray
    ) -> None:
        """Give some transitions the goal that their episode reached then or later.

        Args:
            transitions: changed in place.
            rows: shape (B,), where they are stored.
            chosen: shape (C,), which of them.
        """
        achieved, desired = self._goal_slices
        starts, lengths = self._segments.locate(transitions["segment"][chosen])
        steps_before = (rows[chosen] - starts) % self._capacity
        later = self._rng.integers(steps_before, lengths)
        reached = self._filled_table("sample_transitions").take((starts + later) % self._capacity)
        goals = reached["next_observation"][:, achieved]
        transitions["observation"][chosen, desired] = goals
        transitions["next_observation"][chosen, desired] = goals
        now = transitions["next_observation"][chosen, achieved]
        rewards = np.asarray(self._reward_fn(now, goals, {}))
        if rewards.shape != (len(chosen),):
            raise ValueError(
                f"HERReplayBuffer: reward_fn must return one reward for each of {len(chosen)} "
                f"goals, got shape {rewards.shape}"
            )
        transitions["reward"][chosen] = rewards


def _goal_slices(space: Any) -> tuple[slice, slice]:
    """Find achieved and desired goal in a flattened observation."""
    found: dict[str, slice] = {}
    start = 0
    for key, part in space.items() if isinstance(space, spaces.Dict) else ():
        stop = start + spaces.flatdim(part)
        found[key] = slice(start, stop)
        start = stop
    if not all(key in found for key in _GOAL_KEYS):
        raise ValueError(
            "HERReplayBuffer: env_spec.observation_space must be a Dict with observation, "
            f"achieved_goal and desired_goal, got {space!r}; for a wrapped environment pass "
            "EnvSpec(env.unwrapped.gym_env.observation_space, env.action_space)"
        )
    return found["achieved_goal"], found["desired_goal"]
