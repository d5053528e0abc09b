"""ParameterSearch: what CEM and CMA-ES share, which try parameters and look at the returns."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from garage_like.algos.finite import check_rewards
from garage_like.data.batches import EpisodeBatch
from garage_like.evaluation import log_performance
from garage_like.interfaces import Metrics, RLAlgorithm
from garage_like.logging import tabular

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Policy, RunHandle, Sampler

RECENT_EPISODES = 100


class ParameterSearch(RLAlgorithm):
    """Draw candidates, play each of them, move towards the good ones: one epoch.

    Each candidate plays `batch_size` env steps, so an epoch takes `n_samples` times as many. Take
    a sampler of whole episodes: in fragments, a candidate inherits what the one before it began.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: whose parameters are searched; `get_param_values` returns one vector.
        sampler: where the trainer gets episodes.
        n_samples: candidates in one epoch.
        discount: factor for one env step, for metrics alone: candidates are compared by
            undiscounted return.

    Raises:
        ValueError: if a number is out of range, or the parameters are no vector.
    """

    METRICS = {
        "<algorithm>/BestReturn": "Average return of the epoch's best candidate.",
        "Extras/EpisodeRewardMean": f"Mean return of the last {RECENT_EPISODES} episodes.",
    }

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        sampler: Sampler | None,
        n_samples: int,
        discount: float = 0.99,
    ) -> None:
        owner = type(self).__name__
        if n_samples < 2:
            raise ValueError(f"{owner}: n_samples must be at least 2, got {n_samples!r}")
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"{owner}: discount must be in [0, 1], got {discount!r}")
        self.policy = policy
        self._env_spec = env_spec
        self._sampler = sampler
        self._n_samples = n_samples
        self._discount = discount
        self._recent_returns: deque[float] = deque(maxlen=RECENT_EPISODES)

    def train_epoch(self, trainer: RunHandle) -> float:
        """Play every candidate, then learn; the policy ends at the search's mean.

        Returns:
            The average undiscounted return of all candidates.
        """
        candidates = self._candidates()
        batches = []
        for candidate in candidates:
            self.policy.set_param_values(candidate)
            batches.append(trainer.obtain_episodes(trainer.step_itr))
            trainer.step_itr += 1
        returns = np.array([average_return(batch) for batch in batches])
        check_rewards(type(self).__name__, returns)
        metrics = self._learn(candidates, returns)
        self.policy.set_param_values(self._mean())
        self._log(trainer.step_itr - 1, batches, {"BestReturn": float(returns.max()), **metrics})
        return float(returns.mean())

    def _log(self, itr: int, batches: list[EpisodeBatch], metrics: Metrics) -> None:
        everything = EpisodeBatch.concatenate(*batches)
        self._recent_returns.extend(log_performance(itr, everything, discount=self._discount))
        for key, value in metrics.items():
            tabular.record(f"{type(self).__name__}/{key}", value)
        recent = self._recent_returns
        mean = sum(recent) / len(recent) if recent else float("nan")
        tabular.record("Extras/EpisodeRewardMean", mean)

    def _candidates(self) -> np.ndarray:
        """Draw candidates, shape (n_samples, P)."""
        raise NotImplementedError(f"{type(self).__name__} must implement _candidates")

    def _learn(self, candidates: np.ndarray, returns: np.ndarray) -> Metrics:
        """Move towards good candidates, given returns of shape (n_samples,); return metrics."""
        raise NotImplementedError(f"{type(self).__name__} must implement _learn")

    def _mean(self) -> np.ndarray:
        """Return where the search stands, shape (P,)."""
        raise NotImplementedError(f"{type(self).__name__} must implement _mean")


def average_return(episodes: EpisodeBatch) -> float:
    """Return the mean over episodes (or fragments) of the sum of rewards."""
    return float(episodes.rewards.sum(dtype=np.float64) / len(episodes))


def initial_vector(owner: str, policy: Policy) -> np.ndarray:
    """Return the policy's parameters as float64, shape (P,).

    Raises:
        ValueError: if they are no vector.
    """
    params = policy.get_param_values()
    if not isinstance(params, np.ndarray) or params.ndim != 1:
        raise ValueError(
            f"{owner}: policy.get_param_values() must return one vector, got {type(params)}; "
            "garage_like's policies in NumPy and torch do"
        )
    return params.astype(np.float64)
