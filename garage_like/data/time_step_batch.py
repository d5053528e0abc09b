"""TimeStepBatch: single env steps; `batches` has the legend of array shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.data.env_step import StepType
from garage_like.data.episode_batch import EpisodeBatch, join_fields
from garage_like.data.infos import (
    Infos,
    check_rows,
    check_steps,
    check_values,
    slice_infos,
    stack_infos,
)
from garage_like.data.time_step import TimeStep, time_steps_of


@dataclass(frozen=True, eq=False)
class TimeStepBatch:
    """Single env steps, in no particular order: what replay memory hands out.

    Attributes:
        env_spec: of the environment that they come from.
        observations: shape (S, O*).
        actions: shape (S, A*), or (S,) if discrete.
        rewards: shape (S,), undiscounted.
        next_observations: shape (S, O*).
        step_types: shape (S,), StepType as uint8.
        env_infos: arrays of S rows.
        agent_infos: arrays of S rows.
        episode_infos: arrays of S rows.
    """

    env_spec: EnvSpec
    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_observations: np.ndarray
    step_types: np.ndarray
    env_infos: Infos = field(default_factory=dict)
    agent_infos: Infos = field(default_factory=dict)
    episode_infos: Infos = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that all arrays agree on S."""
        steps = len(self.rewards)
        for f in fields(self)[1:]:
            check_rows("TimeStepBatch", f.name, getattr(self, f.name), steps)
        types = check_steps("TimeStepBatch", self.rewards, self.step_types)
        object.__setattr__(self, "step_types", types)
        if self.env_spec is not None:
            seen, done = self.env_spec.observation_space, self.env_spec.action_space
            check_values("TimeStepBatch", "observations", self.observations, seen)
            check_values("TimeStepBatch", "next_observations", self.next_observations, seen)
            check_values("TimeStepBatch", "actions", self.actions, done)

    def __len__(self) -> int:
        """Return the number of env steps, S."""
        return len(self.rewards)

    @property
    def terminals(self) -> np.ndarray:
        """Whether the episode terminated at each step: shape (S,), bool."""
        return self.step_types == StepType.TERMINAL

    @classmethod
    def from_episode_batch(cls, episodes: EpisodeBatch) -> TimeStepBatch:
        """Forget which step follows which."""
        return cls(
            env_spec=episodes.env_spec,
            observations=episodes.observations,
            actions=episodes.actions,
            rewards=episodes.rewards,
            next_observations=episodes.next_observations,
            step_types=episodes.step_types,
            env_infos=episodes.env_infos,
            agent_infos=episodes.agent_infos,
            episode_infos=episodes.episode_infos,
        )

    def split(self) -> list[TimeStepBatch]:
        """Return one batch for each step."""

        def row_of(value: Any, i: int) -> Any:
            rows = slice(i, i + 1)
            return slice_infos(value, rows) if isinstance(value, dict) else value[rows]

        names = [f.name for f in fields(self)[1:]]
        rows: list[dict[str, Any]] = [
            {name: row_of(getattr(self, name), i) for name in names} for i in range(len(self))
        ]
        return [TimeStepBatch(env_spec=self.env_spec, **row) for row in rows]

    def to_time_step_list(self) -> list[TimeStep]:
        """Return the steps one by one."""
        return time_steps_of(self)

    @classmethod
    def from_time_step_list(
        cls, env_spec: EnvSpec, ts_samples: Sequence[TimeStep] | Sequence[dict[str, Any]]
    ) -> TimeStepBatch:
        """Build a batch from single steps.

        Args:
            env_spec: of the environment that they come from.
            ts_samples: at least one; or dicts of arrays of one row, by the names of a batch.
        """
        if not ts_samples:
            raise ValueError("TimeStepBatch.from_time_step_list: expected a step, got none")
        if not any(isinstance(sample, dict) for sample in ts_samples):
            return cls._of_steps(env_spec, ts_samples)
        names = [f.name for f in fields(cls)[1:]]
        rows: list[dict[str, Any]] = [
            {name: s[name] for name in names if isinstance(s, TimeStep) or name in s}
            for s in ts_samples
        ]
        return cls.concatenate(*(cls(env_spec=env_spec, **row) for row in rows))

    @classmethod
    def _of_steps(cls, env_spec: EnvSpec, ts_samples: Sequence[Any]) -> TimeStepBatch:
        dropped: set[str] = set()
        return cls(
            env_spec=env_spec,
            observations=np.array([step.observation for step in ts_samples]),
            actions=np.array([step.action for step in ts_samples]),
            rewards=np.array([step.reward for step in ts_samples], np.float64),
            next_observations=np.array([step.next_observation for step in ts_samples]),
            step_types=np.array([step.step_type for step in ts_samples], np.uint8),
            env_infos=stack_infos([s.env_info for s in ts_samples], "env_infos", dropped),
            agent_infos=stack_infos([s.agent_info for s in ts_samples], "agent_infos", dropped),
            episode_infos=stack_infos(
                [s.episode_info for s in ts_samples], "episode_infos", dropped
            ),
        )

    @classmethod
    def concatenate(cls, *batches: TimeStepBatch) -> TimeStepBatch:
        """Join batches of one environment, in the order given."""
        if not batches:
            raise ValueError("TimeStepBatch.concatenate: expected at least one batch, got none")
        return cls(**join_fields(batches))
