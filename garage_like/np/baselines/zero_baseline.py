"""ZeroBaseline: every observation is worth nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.configuration.configured import Named
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.baselines.paths import predicts_paths


class ZeroBaseline(Named):
    """Value everything at 0, so that advantages are returns.

    Args:
        env_spec: of the environment whose observations are valued.
    """

    def __init__(self, env_spec: EnvSpec, name: str | None = None) -> None:
        self._env_spec = env_spec

    @predicts_paths
    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return zeros, shape (S,) and (N,)."""
        return np.zeros(episodes.num_steps), np.zeros(len(episodes))

    def fit(self, episodes: Any, returns: np.ndarray | None = None) -> None:
        """Do nothing: there is nothing to fit."""

    def get_param_values(self) -> np.ndarray:
        """Return an empty vector: there are no weights."""
        return np.zeros(0)

    def set_param_values(self, params: Any) -> None:
        """Do nothing."""
