"""TimeStep: one env step with the observation before it and all that is known of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.data.env_step import EnvStep, PlaceInEpisode, StepType
from garage_like.data.infos import Infos


class _TimeStep(NamedTuple):
    env_spec: EnvSpec
    episode_info: dict[str, Any]
    observation: Any
    action: Any
    reward: float
    next_observation: Any
    env_info: dict[str, Any]
    agent_info: dict[str, Any]
    step_type: StepType


_IN_BATCHES = {f"{name}s": name for name in _TimeStep._fields if name != "env_spec"}


def _as_rows(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_rows(inner) for key, inner in value.items()}
    return np.asarray([value])


class TimeStep(_TimeStep, PlaceInEpisode):
    """A step of an agent in an environment; EnvStep is the environment's half of it.

    Attributes:
        env_spec: the environment's.
        episode_info: of the episode, from `Environment.reset`.
        observation: shape (O*,), before the action.
        action: shape (A*,).
        reward: undiscounted.
        next_observation: shape (O*,), after the action.
        env_info: from `Environment.step`.
        agent_info: from the policy.
        step_type: tells termination from truncation.
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        """Return what has a name, as arrays of one row; garage's steps out of a batch are dicts.

        Args:
            key: a batch's name of it, such as 'observations'; or a number, as of any tuple.
        """
        if not isinstance(key, str):
            return super().__getitem__(key)
        if key not in _IN_BATCHES:
            raise KeyError(f"a TimeStep has no {key!r}, but {', '.join(_IN_BATCHES)}")
        return _as_rows(getattr(self, _IN_BATCHES[key]))

    @classmethod
    def from_env_step(
        cls,
        env_step: EnvStep,
        last_observation: Any,
        agent_info: dict[str, Any],
        episode_info: dict[str, Any],
    ) -> TimeStep:
        """Complete what an environment returned.

        Args:
            env_step: from `Environment.step`.
            last_observation: shape (O*,), before the action.
            agent_info: from the policy.
            episode_info: from `Environment.reset`.
        """
        return cls(
            env_spec=env_step.env_spec,
            episode_info=episode_info,
            observation=last_observation,
            action=env_step.action,
            reward=env_step.reward,
            next_observation=env_step.observation,
            env_info=env_step.env_info,
            agent_info=agent_info,
            step_type=env_step.step_type,
        )


def time_steps_of(batch: Any) -> list[TimeStep]:
    """Return the steps of an EpisodeBatch or a TimeStepBatch one by one."""
    # Made again each time that they are asked for.
    episode_infos, next_observations = batch.episode_infos, batch.next_observations
    return [
        TimeStep(
            env_spec=batch.env_spec,
            episode_info=_row_of(episode_infos, i),
            observation=batch.observations[i],
            action=batch.actions[i],
            reward=float(batch.rewards[i]),
            next_observation=next_observations[i],
            env_info=_row_of(batch.env_infos, i),
            agent_info=_row_of(batch.agent_infos, i),
            step_type=StepType(int(batch.step_types[i])),
        )
        for i in range(len(batch.rewards))
    ]


def _row_of(infos: Infos, row: int) -> Infos:
    """Take one row out of every array of a (nested) dict of arrays."""
    return {k: _row_of(v, row) if isinstance(v, dict) else v[row] for k, v in infos.items()}
