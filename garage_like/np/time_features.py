"""Simple features of observations and time, on which values and REPS's dual are linear."""

from __future__ import annotations

import gymnasium
import numpy as np

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.np.observations import flatten_observations

_CLIP = 10.0
_TIME_UNIT = 100.0


def time_features(
    space: gymnasium.Space, observations: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """Return o, o^2, t, t^2, t^3 and 1: shape (S, 2 * D + 4), float64.

    Args:
        space: of the observations.
        observations: shape (S, O*).
        steps: shape (S,), step within the episode.
    """
    rows = flatten_observations(space, observations)
    clipped = np.clip(rows.astype(np.float64), -_CLIP, _CLIP)
    time = (steps / _TIME_UNIT)[:, None]
    return np.hstack([clipped, clipped**2, time, time**2, time**3, np.ones_like(time)])


def step_numbers(episodes: EpisodeBatch) -> np.ndarray:
    """Return each step's number within its episode, from 0: shape (S,)."""
    lengths = np.asarray(episodes.lengths)
    return np.arange(episodes.num_steps) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def feature_differences(episodes: EpisodeBatch) -> np.ndarray:
    """Return phi(next observation) - phi(observation), shape (S, F).

    There are no features, that is zeros, after termination.
    """
    space, steps = episodes.env_spec.observation_space, step_numbers(episodes)
    following = time_features(space, episodes.next_observations, steps + 1)
    following[episodes.step_types == StepType.TERMINAL] = 0.0
    return following - time_features(space, episodes.observations, steps)
