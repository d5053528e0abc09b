"""Observations of any space as rows of float32: what networks take."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


def flatten_observations(space: gymnasium.Space, observations: Any) -> np.ndarray:
    """Lay observations out as rows; those of a Discrete space become one-hot.

    Args:
        space: where they come from.
        observations: shape (N, O*), or already (N, D).

    Returns:
        Shape (N, D), float32, where D is the space's flat dimension.

    Raises:
        ValueError: if they do not fit the space.
    """
    if (
        type(space) is spaces.Box
        and type(observations) is np.ndarray
        and observations.ndim == 2
        and observations.dtype == np.float32
    ):
        return observations
    array = np.asarray(observations)
    if isinstance(space, spaces.Discrete) and array.ndim == 1:
        return _one_hot(array - int(space.start), int(space.n))
    if isinstance(space, spaces.MultiDiscrete) and array.shape[1:] == space.shape:
        columns = (array - space.start).reshape(len(array), -1).T
        widths = space.nvec.reshape(-1).tolist()
        parts = [_one_hot(column, n) for column, n in zip(columns, widths, strict=True)]
        return np.concatenate(parts, axis=1)
    rows = array.astype(np.float32, copy=False)
    if rows.ndim != 2:
        rows = rows.reshape(len(rows), -1)
    return rows


def _one_hot(indices: np.ndarray, width: int) -> np.ndarray:
    if indices.size and not (indices.min() >= 0 and indices.max() < width):
        raise ValueError(
            f"observations must lie in a discrete space of {width} values, got {indices!r}"
        )
    rows = np.zeros((len(indices), width), np.float32)
    rows[np.arange(len(indices)), indices.astype(np.intp)] = 1.0
    return rows
