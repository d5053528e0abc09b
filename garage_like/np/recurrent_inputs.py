"""What a recurrent network learns from: whole episodes side by side, as they were acted in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.np.observations import flatten_observations
from garage_like.np.recurrent_actors import encode_actions


class RecurrentInputs(NamedTuple):
    """Episodes padded to the longest, time after time.

    Attributes:
        rows: shape (T * N, D), float32, inputs of the cell: row t * N + n is step t of episode n,
            and zeros after the episode's end.
        states: shape (N, M), float32, of the cell before the first step.
        steps: shape (S,), int32: which row each step of the batch is, in the batch's order.
    """

    rows: np.ndarray
    states: np.ndarray
    steps: np.ndarray


def recurrent_inputs(
    episodes: EpisodeBatch, state_dim: int, action_dim: int = 0
) -> RecurrentInputs:
    """Lay out what a RecurrentNetwork saw when it acted.

    A fragment that a worker cut out of an episode begins with the memory that the worker had then
    (`Memory` among the episode infos); all else begins with none.

    Args:
        episodes: N episodes or fragments.
        state_dim: numbers of the cell's state.
        action_dim: numbers of the previous action that are appended to each row; 0 for none.
    """
    space = episodes.env_spec.observation_space
    rows = flatten_observations(space, episodes.observations)
    memory = episodes.episode_infos_by_episode.get("Memory")
    if memory is None:
        memory = np.zeros((len(episodes), state_dim + action_dim), np.float32)
    if action_dim:
        previous = np.empty((len(rows), action_dim), np.float32)
        previous[1:] = encode_actions(episodes.actions[:-1], action_dim)
        previous[episodes.ends - episodes.lengths] = memory[:, state_dim:]
        rows = np.concatenate([rows, previous], axis=1)
    times = np.nonzero(episodes.valids)[1]
    steps = times * len(episodes) + np.repeat(np.arange(len(episodes)), episodes.lengths)
    padded = np.zeros((int(episodes.lengths.max()) * len(episodes), rows.shape[1]), np.float32)
    padded[steps] = rows
    return RecurrentInputs(padded, memory[:, :state_dim], steps.astype(np.int32))
