"""ERWR: episodic reward-weighted regression."""

from __future__ import annotations

from typing import Any

from garage_like.algos.on_policy import OnPolicyBatch, policy_metrics
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Metrics, Sampler
from garage_like.tf.algos.vpg import VPG
from garage_like.tf.algos.weighted_fit import WeightedFit
from garage_like.tf.baselines.network_baseline import Optimizer
from garage_like.tf.policies.stochastic_policy import StochasticPolicy


class ERWR(VPG):
    """Fit the policy to its own actions, each weighted by what it brought.

    Kober and Peters 2009, "Policy Search for Motor Primitives in Robotics": expectation
    maximisation with rewards for probabilities. Differs from the paper: weights are advantages,
    shifted so that none is negative, and the policy is a network, fitted by L-BFGS.

    Args:
        policy_optimizer: has `minimize(loss, *tensors)`; None for L-BFGS, 20 iterations.
        center_adv: shift and scale advantages to mean 0 and standard deviation 1, before they are
            made positive.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: Any = None,
        vf_optimizer: Optimizer | None = None,
        *,
        num_train_per_epoch: int = 1,
        discount: float = 0.99,
        gae_lambda: float = 1.0,
        center_adv: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            env_spec,
            policy,
            baseline,
            sampler,
            None,
            vf_optimizer,
            num_train_per_epoch=num_train_per_epoch,
            discount=discount,
            gae_lambda=gae_lambda,
            center_adv=center_adv,
            positive_adv=True,
        )
        self._fit_policy = WeightedFit(policy, policy_optimizer)

    def _update(self, batch: OnPolicyBatch) -> Metrics:
        fit = self._fit_policy(batch.episodes, batch.advantages)
        self._train_value_function(batch)
        return policy_metrics(**fit)
