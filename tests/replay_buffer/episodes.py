"""Episodes whose numbers say where they come from: what the tests of this room store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec

SPEC = EnvSpec(spaces.Box(-np.inf, np.inf, (2,), np.float64), spaces.Box(-1, 1, (1,), np.float32))
DISCRETE_SPEC = EnvSpec(spaces.Box(-9, 9, (2,), np.float32), spaces.Discrete(3))


def batch(
    lengths: Sequence[int],
    first: int = 0,
    *,
    begins: bool = True,
    last: StepType = StepType.TERMINAL,
    spec: EnvSpec = SPEC,
) -> EpisodeBatch:
    """Make episodes of which step k, counted from `first`, observes (k, episode) and earns k.

    Args:
        lengths: of the episodes; between two of them one number is left out.
        first: number of the first step.
        begins: whether the first episode begins here; else it goes on.
        last: how the last episode ends.
        spec: of the environment.
    """
    observations, ends, step_types = [], [], []
    step = first
    for number, length in enumerate(lengths):
        observations += [[step + k, 0.1] for k in range(length)]
        step += length
        ends.append([step, 0.1])
        step += 1
        middle = [StepType.MID] * (length - 1)
        types = [StepType.FIRST if begins or number else StepType.MID, *middle]
        types[-1] = last if number == len(lengths) - 1 else StepType.TERMINAL
        step_types += types
    array = np.array(observations, np.float64)
    actions = array[:, 0].astype(np.int64) % 3 if spec.is_discrete else array[:, :1] / 1000
    return EpisodeBatch(
        env_spec=spec,
        episode_infos_by_episode={},
        observations=array,
        last_observations=np.array(ends, np.float64),
        actions=actions,
        rewards=array[:, 0],
        env_infos={},
        agent_infos={},
        step_types=np.array(step_types, np.uint8),
        lengths=np.array(lengths),
    )


def stored_steps(buffer) -> list[int]:
    """Return the numbers of the steps that a buffer holds, in the order of its rows."""
    return buffer._table.column("reward").astype(int).tolist()


def paths(buffer) -> list[list[int]]:
    """Return the numbers of the steps of each path that a buffer holds, oldest first."""
    found = []
    for number in range(buffer.n_paths_stored):
        starts, lengths = buffer._segments.locate(np.array([buffer._segments.slot(number)]))
        rows = (starts[0] + np.arange(lengths[0])) % buffer.capacity
        found.append(buffer._table.take(rows)["reward"].astype(int).tolist())
    return found
