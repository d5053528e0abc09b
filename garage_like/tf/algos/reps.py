"""REPS: relative entropy policy search."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.algos.reps import RelativeEntropyPolicySearch
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Metrics, Sampler
from garage_like.np.time_features import feature_differences
from garage_like.tf.algos.weighted_fit import WeightedFit
from garage_like.tf.policies.stochastic_policy import StochasticPolicy


class REPS(RelativeEntropyPolicySearch):
    """Weight each step by how it turned out, and fit the policy to the weighted actions.

    Peters, Muelling and Altun 2010, "Relative Entropy Policy Search", the version with a value
    function that is linear in features and one sample of the next observation. Differs from the
    paper: the policy is a network, fitted by L-BFGS, and the duration of episodes is a feature.

    Args:
        policy_optimizer: has `minimize(loss, *tensors)`; None for L-BFGS, 20 iterations.
        l2_reg_loss: weight of the mean square of the policy's parameters.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the optimizer is none.
    """

    policy: StochasticPolicy

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline | None = None,
        sampler: Sampler | None = None,
        policy_optimizer: Any = None,
        discount: float = 0.99,
        epsilon: float = 0.5,
        l2_reg_dual: float = 1e-4,
        l2_reg_loss: float = 0.0,
        dual_iterations: int = 50,
        name: str | None = None,
    ) -> None:
        super().__init__(
            env_spec,
            policy,
            sampler,
            baseline=baseline,
            discount=discount,
            epsilon=epsilon,
            l2_reg_dual=l2_reg_dual,
            dual_iterations=dual_iterations,
        )
        self._fit_policy = WeightedFit(policy, policy_optimizer, l2_reg_loss)

    def _feature_differences(self, episodes: EpisodeBatch) -> np.ndarray:
        return feature_differences(episodes)

    def _fit(self, episodes: EpisodeBatch, weights: np.ndarray) -> Metrics:
        fit = self._fit_policy(episodes, weights)
        return {
            "policy/LossBefore": fit["loss_before"],
            "policy/LossAfter": fit["loss_after"],
            "policy/KL": fit["kl"],
            "policy/Entropy": fit["entropy"],
        }
