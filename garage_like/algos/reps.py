"""The half of REPS that needs no framework: data, the dual, cadence, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from garage_like.algos.advantages import bootstrap_values, discount_cumsum, explained_variance
from garage_like.algos.finite import check_losses, check_rewards
from garage_like.algos.relative_entropy import DualFunction, divergence
from garage_like.evaluation import log_performance
from garage_like.interfaces import Metrics, RLAlgorithm
from garage_like.logging import tabular

if TYPE_CHECKING:
    from garage_like.data.batches import EpisodeBatch
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Baseline, Policy, RunHandle, Sampler

METRICS: dict[str, str] = {
    "Dual/Value": "The dual function at its minimum: a bound of the reward per step, weighted.",
    "Dual/Eta": "Temperature of the weights: small where few steps count.",
    "Dual/KL": "Relative entropy of the weighted steps from those sampled, in nats.",
    "Dual/LargestWeight": "Largest weight of a step; the mean is 1.",
    "policy/LossBefore": "Weighted -log pi(a | s), before the update.",
    "policy/LossAfter": "The same after the update.",
    "policy/KL": "Mean KL(old || new) after the update, in nats.",
    "policy/Entropy": "Mean entropy of the actions after the update, in nats.",
}

OPTIONAL_METRICS: dict[str, str] = {
    "<value function>/ExplainedVariance": "1 - Var(returns - values) / Var(returns), before it.",
}


class RelativeEntropyPolicySearch(RLAlgorithm):
    """Weight each step by how it turned out, and make the policy repeat what weighs.

    A backend's algorithm adds the features and the fit: `_feature_differences` and `_fit`.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        sampler: where the trainer gets episodes; None for a LocalSampler of policy and environment.
        baseline: plays no part in learning, as REPS values features by itself; if there is one, it
            is fitted to returns, and how well it explains them is logged.
        discount: for what is logged; learning does not discount.
        epsilon: bound of the relative entropy between two policies' steps, in nats.
        l2_reg_dual: weight of |v|^2 in the dual function, where v values features.
        dual_iterations: iterations of L-BFGS on the dual function.

    Raises:
        ValueError: if an argument is out of range.
    """

    METRICS = METRICS
    OPTIONAL_METRICS = OPTIONAL_METRICS

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        sampler: Sampler | None,
        *,
        baseline: Baseline | None = None,
        discount: float = 0.99,
        epsilon: float = 0.5,
        l2_reg_dual: float = 1e-4,
        dual_iterations: int = 50,
    ) -> None:
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"REPS: discount must be in [0, 1], got {discount!r}")
        if not epsilon > 0.0:
            raise ValueError(f"REPS: epsilon must be positive, got {epsilon!r}")
        if not l2_reg_dual >= 0.0:
            raise ValueError(f"REPS: l2_reg_dual must not be negative, got {l2_reg_dual!r}")
        if dual_iterations < 1:
            raise ValueError(f"REPS: dual_iterations must be at least 1, got {dual_iterations!r}")
        self.policy = policy
        self._env_spec = env_spec
        self._sampler = sampler
        self._value_function = baseline
        self._discount = discount
        self._epsilon = epsilon
        self._l2_reg_dual = l2_reg_dual
        self._dual_iterations = dual_iterations
        # The next dual begins where the last one ended.
        self._eta = 1.0
        self._v: np.ndarray | None = None

    @property
    def discount(self) -> float:
        """Discount factor of what is logged."""
        return self._discount

    def train_epoch(self, trainer: RunHandle) -> float:
        """Collect a batch and learn from it.

        Returns:
            The average undiscounted return; NaN if no episode ended in the batch.
        """
        episodes = trainer.obtain_episodes(trainer.step_itr)
        check_rewards(type(self).__name__, episodes.rewards)
        weights, metrics = self._weigh(episodes)
        metrics = {**metrics, **self._fit(episodes, weights)}
        check_losses(type(self).__name__, metrics)
        if self._value_function is not None:
            self._fit_baseline(self._value_function, episodes)
        returns = log_performance(trainer.step_itr, episodes, discount=self._discount)
        for key, value in metrics.items():
            tabular.record(key, value)
        trainer.step_itr += 1
        return float(np.mean(returns)) if returns else float("nan")

    def _fit_baseline(self, baseline: Baseline, episodes: EpisodeBatch) -> None:
        values, last_values = baseline.predict(episodes)
        last_values = bootstrap_values(episodes, last_values)
        returns = discount_cumsum(episodes.rewards, episodes.lengths, self._discount, last_values)
        name = type(baseline).__name__
        tabular.record(f"{name}/ExplainedVariance", explained_variance(returns, values))
        baseline.fit(episodes, returns)

    def _weigh(self, episodes: EpisodeBatch) -> tuple[np.ndarray, Metrics]:
        """Return the weight of each step, shape (S,), of mean 1, and metrics `Dual/...`."""
        differences = self._feature_differences(episodes)
        dual = DualFunction(episodes.rewards, differences, self._epsilon, self._l2_reg_dual)
        start = np.zeros(differences.shape[1]) if self._v is None else self._v
        self._eta, self._v, value = dual.minimise(self._eta, start, self._dual_iterations)
        weights = dual.weights(self._eta, self._v)
        return weights, {
            "Dual/Value": value,
            "Dual/Eta": self._eta,
            "Dual/KL": divergence(weights),
            "Dual/LargestWeight": float(weights.max()),
        }

    def _feature_differences(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return phi(next observation) - phi(observation), shape (S, F)."""
        raise NotImplementedError(f"{type(self).__name__} must implement _feature_differences")

    def _fit(self, episodes: EpisodeBatch, weights: np.ndarray) -> Metrics:
        """Move the policy towards the weighted actions; return the metrics `policy/...`."""
        raise NotImplementedError(f"{type(self).__name__} must implement _fit")
