"""What a recurrent network learns from: whole episodes side by side, as they were acted in."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium
import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.np.observations import flatten_observations
from garage_like.np.recurrent_actors import encode_actions
from garage_like.replay_buffer.transitions import Transitions


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


def history_inputs(
    space: gymnasium.Space, transitions: Transitions, state_dim: int, action_dim: int = 0
) -> RecurrentInputs:
    """Lay out transitions with the env steps before them, and with the observation after them.

    Args:
        space: of observations.
        transitions: B of them, as `PathBuffer.sample_histories` returns them.
        state_dim: numbers of the cell's state, which begins with zeros.
        action_dim: numbers of the previous action that are appended to each row; 0 for none.

    Returns:
        Rows of L + 1 times; `steps` are those of the transitions, and B further on comes what
        followed.
    """
    seen = transitions["history_observation"]
    count, length = seen.shape[:2]
    now = transitions["history_steps"]
    which = np.arange(count)
    flat = flatten_observations(space, seen.reshape(count * length, *seen.shape[2:]))
    rows = np.zeros((length + 1, count, flat.shape[1] + action_dim), np.float32)
    observed = rows[:, :, : flat.shape[1]]
    observed[:-1] = flat.reshape(count, length, -1).swapaxes(0, 1)
    observed[now + 1, which] = flatten_observations(space, transitions["next_observation"])
    if action_dim:
        taken = transitions["history_action"]
        encoded = encode_actions(taken.reshape(count * length, *taken.shape[2:]), action_dim)
        rows[1:, :, flat.shape[1] :] = encoded.reshape(count, length, -1).swapaxes(0, 1)
    times = np.arange(length + 1)[:, None]
    rows[times > now + 1] = 0.0
    return RecurrentInputs(
        rows.reshape(-1, rows.shape[2]),
        np.zeros((count, state_dim), np.float32),
        (now * count + which).astype(np.int32),
    )
