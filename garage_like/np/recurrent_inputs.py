"""What a recurrent network learns from: whole episodes side by side, as they were acted in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from garage_like.batches import EpisodeBatch
from garage_like.np.observations import flatten_observations
from garage_like.np.recurrent_actors import encode_actions


class RecurrentInputs(NamedTuple):
    """Episodes padded to the longest.

    Attributes:
        rows: shape (N, T, D), float32, inputs of the cell; zeros after an episode's end.
        states: shape (N, M), float32, of the cell before the first row.
        steps: shape (S,), int32: row n * T + t of each step of the batch, in the batch's order.
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
    steps = np.flatnonzero(episodes.valids).astype(np.int32)
    return RecurrentInputs(episodes.pad(rows), memory[:, :state_dim], steps)
