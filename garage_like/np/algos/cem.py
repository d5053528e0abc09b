"""CEM: the cross-entropy method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from garage_like import seeding
from garage_like.np.algos.parameter_search import ParameterSearch, initial_vector

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Metrics, Policy, Sampler


class CEM(ParameterSearch):
    """Draw parameters from a normal distribution, and fit it to the best of them.

    Rubinstein 1999; extra noise that fades: Szita and Lorincz 2006,
    doi.org/10.1162/neco.2006.18.12.2936.

    Args:
        policy: whose parameters are searched, starting from those it has.
        discount: factor for one env step, for metrics alone.
        init_std: standard deviation of the first candidates.
        best_frac: part of the candidates that the distribution is fitted to.
        extra_std: added (in variance) to the fitted standard deviation, so that it does not
            collapse early.
        extra_decay_time: epochs over which extra_std fades to 0.

    Raises:
        ValueError: if an argument is out of range, or best_frac leaves no candidate.
    """

    METRICS = {
        **ParameterSearch.METRICS,
        "CEM/MeanStd": "Mean over parameters of the standard deviation to draw from next.",
    }

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        sampler: Sampler | None,
        n_samples: int,
        discount: float = 0.99,
        init_std: float = 1.0,
        best_frac: float = 0.05,
        extra_std: float = 1.0,
        extra_decay_time: int = 100,
        name: str | None = None,
    ) -> None:
        super().__init__(env_spec, policy, sampler, n_samples, discount)
        if not init_std > 0.0:
            raise ValueError(f"CEM: init_std must be positive, got {init_std!r}")
        if not extra_std >= 0.0:
            raise ValueError(f"CEM: extra_std must not be negative, got {extra_std!r}")
        if extra_decay_time < 1:
            raise ValueError(f"CEM: extra_decay_time must be at least 1, got {extra_decay_time!r}")
        if not 0.0 < best_frac <= 1.0 or int(n_samples * best_frac) < 1:
            raise ValueError(
                "CEM: best_frac must be in (0, 1] and keep at least one of n_samples="
                f"{n_samples} candidates, got {best_frac!r}"
            )
        self._n_best = int(n_samples * best_frac)
        self._extra_std = extra_std
        self._extra_decay_time = extra_decay_time
        self._num_updates = 0
        self._current_mean = initial_vector("CEM", policy)
        self._current_std = np.full_like(self._current_mean, init_std)
        self._rng = seeding.stream("CEM")

    def _candidates(self) -> np.ndarray:
        noise = self._rng.standard_normal((self._n_samples, len(self._current_mean)))
        return self._current_mean + self._sampling_std() * noise

    def _sampling_std(self) -> np.ndarray:
        """Compute sqrt(std^2 + extra_std^2 * max(0, 1 - updates / extra_decay_time))."""
        left = max(0.0, 1.0 - self._num_updates / self._extra_decay_time)
        return np.sqrt(self._current_std**2 + self._extra_std**2 * left)

    def _learn(self, candidates: np.ndarray, returns: np.ndarray) -> Metrics:
        best = candidates[np.argsort(-returns, kind="stable")[: self._n_best]]
        self._current_mean = best.mean(axis=0)
        self._current_std = best.std(axis=0)
        self._num_updates += 1
        return {"MeanStd": float(self._sampling_std().mean())}

    def _mean(self) -> np.ndarray:
        return self._current_mean
