"""Episodes out of a Minari dataset: what others recorded, for cloning or for replay memory."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium
import numpy as np

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec


def episodes_from_minari(dataset: Any, max_episodes: int | None = None) -> EpisodeBatch:
    """Read episodes, in the order in which they were recorded, into memory.

    The batch goes to `BC(source=...)` as it is, and into replay memory by `add_episode_batch`.
    Observations of Dict and Tuple spaces are flattened.

    Args:
        dataset: a `minari.MinariDataset`, such as `minari.load_dataset(...)` returns.
        max_episodes: read no more than these; None reads all.

    Raises:
        ValueError: if there is no episode, or actions do not come as one array.
    """
    action_space = dataset.action_space
    if action_space.shape is None:
        raise ValueError(
            f"episodes_from_minari: actions must come as one array, got {action_space!r}"
        )
    space = dataset.observation_space
    flatten = space.shape is None
    spec = EnvSpec(gymnasium.spaces.flatten_space(space) if flatten else space, action_space)
    observations, last, actions, rewards, step_types = [], [], [], [], []
    for episode in itertools.islice(dataset.iterate_episodes(), max_episodes):
        seen = _flattened(space, episode) if flatten else np.asarray(episode.observations)
        observations.append(seen[:-1])
        last.append(seen[-1])
        actions.append(np.asarray(episode.actions))
        rewards.append(np.asarray(episode.rewards, np.float64))
        step_types.append(_step_types(episode))
    if not rewards:
        raise ValueError(f"episodes_from_minari: there is no episode in {dataset!r}")
    return EpisodeBatch(
        env_spec=spec,
        episode_infos_by_episode={},
        observations=np.concatenate(observations),
        last_observations=np.stack(last),
        actions=np.concatenate(actions),
        rewards=np.concatenate(rewards),
        env_infos={},
        agent_infos={},
        step_types=np.concatenate(step_types),
        lengths=np.array([len(part) for part in rewards]),
    )


def _step_types(episode: Any) -> np.ndarray:
    """Return the step types of one episode; one that the recorder left unfinished goes on."""
    types = np.full(len(episode.rewards), StepType.MID, np.uint8)
    types[0] = StepType.FIRST
    if episode.terminations[-1]:
        types[-1] = StepType.TERMINAL
    elif episode.truncations[-1]:
        types[-1] = StepType.TIMEOUT
    return types


def _flattened(space: gymnasium.Space, episode: Any) -> np.ndarray:
    """Return observations, shape (T + 1, D), of an episode that has them by key."""
    rows: list[Any] = [
        gymnasium.spaces.flatten(space, _pick(episode.observations, step))
        for step in range(len(episode.rewards) + 1)
    ]
    return np.stack(rows)


def _pick(part: Any, step: int) -> Any:
    if isinstance(part, dict):
        return {key: _pick(value, step) for key, value in part.items()}
    if isinstance(part, tuple):
        return tuple(_pick(value, step) for value in part)
    return part[step]
