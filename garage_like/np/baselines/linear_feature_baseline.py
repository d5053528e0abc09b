"""LinearFeatureBaseline: values by ridge regression on simple features."""

from __future__ import annotations

import numpy as np

from garage_like.configuration.configured import Named
from garage_like.configuration.garage_arguments import also_called
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.baselines.paths import fits_paths, predicts_paths
from garage_like.np.time_features import step_numbers, time_features

_ATTEMPTS = 5


class LinearFeatureBaseline(Named):
    """Predict returns from o, o^2, t, t^2, t^3 and 1, refitted to each batch.

    Duan et al. 2016, arXiv:1604.06778, appendix 2. Observations o are clipped to [-10, 10]; t is
    the step within the episode (or the fragment), in hundreds.

    Args:
        env_spec: of the environment whose observations are valued.
        reg_coeff: weight of the ridge, for numbers that are barely determined.

    Raises:
        ValueError: if reg_coeff is negative.
    """

    def __init__(self, env_spec: EnvSpec, reg_coeff: float = 1e-5, name: str | None = None) -> None:
        if not reg_coeff >= 0.0:
            raise ValueError(
                f"LinearFeatureBaseline: reg_coeff must not be negative, got {reg_coeff!r}"
            )
        self._env_spec = env_spec
        self._reg_coeff = reg_coeff
        self._coefficients: np.ndarray = np.zeros(2 * env_spec.observation_dim + 4)

    def get_param_values(self) -> np.ndarray:
        """Return a copy of the coefficients, shape (2 * D + 4,)."""
        return self._coefficients.copy()

    @also_called(params="flattened_params")
    def set_param_values(self, params: np.ndarray) -> None:
        """Replace the coefficients, shape (2 * D + 4,).

        Raises:
            ValueError: if their number is wrong.
        """
        vector = np.asarray(params, np.float64)
        if vector.shape != self._coefficients.shape:
            raise ValueError(
                "LinearFeatureBaseline.set_param_values: expected a vector of "
                f"{len(self._coefficients)} numbers, got shape {vector.shape}"
            )
        self._coefficients = vector.copy()

    @predicts_paths
    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return values of observations, shape (S,), and of last_observations, shape (N,)."""
        if not len(self._coefficients):
            return np.zeros(episodes.num_steps), np.zeros(len(episodes))
        steps, last = self._of_steps(episodes), self._of_last(episodes)
        return steps @ self._coefficients, last @ self._coefficients

    @fits_paths
    def fit(self, episodes: EpisodeBatch, returns: np.ndarray) -> None:
        """Solve (F'F + r I) c = F'G for the batch, with r raised until the solution is finite."""
        features = self._of_steps(episodes)
        gram = features.T @ features
        target = features.T @ np.asarray(returns, np.float64)
        ridge = self._reg_coeff
        is_finite = np.isfinite(gram).all() and np.isfinite(target).all()
        for _ in range(_ATTEMPTS if is_finite else 0):  # LAPACK would complain of others
            matrix = gram + ridge * np.eye(len(gram))
            coefficients = np.linalg.lstsq(matrix, target, rcond=None)[0]
            if np.isfinite(coefficients).all():
                self._coefficients = coefficients
                return
            ridge = max(10.0 * ridge, 1e-8)
        raise ValueError(
            "LinearFeatureBaseline.fit: no finite solution; observations or returns are not finite"
        )

    def _of_steps(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return the features of observations, shape (S, F)."""
        return self._features(episodes.observations, step_numbers(episodes))

    def _of_last(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return the features of last_observations, shape (N, F)."""
        return self._features(episodes.last_observations, np.asarray(episodes.lengths))

    def _features(self, observations: np.ndarray, steps: np.ndarray) -> np.ndarray:
        return time_features(self._env_spec.observation_space, observations, steps)
