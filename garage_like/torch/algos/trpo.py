"""TRPO: trust region policy optimization."""

from __future__ import annotations

from functools import partial
from typing import Unpack

import torch
from torch.distributions import Distribution, kl_divergence

from garage_like.algos.on_policy import OnPolicyOptions
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.torch.algos.vpg import VPG
from garage_like.torch.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class TRPO(VPG):
    """Take the best step for which the policy stays close to the old one, in the sense of KL.

    Schulman et al. 2015, arXiv:1502.05477. Differs from the paper: all states of the batch enter
    the curvature, and the value function is a network or a Baseline.

    Args:
        policy_optimizer: wraps a ConjugateGradientOptimizer; None for one with a mean KL of 0.01.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: OptimizerWrapper | None = None,
        *,
        gae_lambda: float = 0.98,
        **options: Unpack[OnPolicyOptions],
    ) -> None:
        parts = (env_spec, policy, value_function, sampler, policy_optimizer, vf_optimizer)
        super().__init__(*parts, gae_lambda=gae_lambda, **options)
        inner = self._policy_optimizer.optimizer
        if not isinstance(inner, ConjugateGradientOptimizer):
            raise TypeError(
                "TRPO: policy_optimizer must wrap a ConjugateGradientOptimizer, such as "
                "OptimizerWrapper((ConjugateGradientOptimizer, dict(max_constraint_value=0.01)), "
                f"policy), got {inner!r}"
            )

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy, /) -> OptimizerWrapper:
        return OptimizerWrapper(
            (ConjugateGradientOptimizer, {"max_constraint_value": 0.01}), policy
        )

    def _train_policy(
        self,
        old_distribution: Distribution,
        observations: torch.Tensor,
        actions: torch.Tensor,
        advantages: torch.Tensor,
        old_log_probs: torch.Tensor,
        *rewards: torch.Tensor,
    ) -> None:
        self._policy_optimizer.step(
            f_loss=partial(self._loss, observations, actions, advantages, old_log_probs, *rewards),
            f_constraint=partial(self._mean_kl, old_distribution, observations),
        )

    def _mean_kl(self, old_distribution: Distribution, observations: torch.Tensor) -> torch.Tensor:
        """Compute the mean of KL(old || new), the constraint of equation 12."""
        return kl_divergence(old_distribution, self.policy(observations)[0]).mean()

    def _objective(
        self, log_probs: torch.Tensor, old_log_probs: torch.Tensor, advantages: torch.Tensor
    ) -> torch.Tensor:
        """Compute r A, the objective of equation 14; all of shape (N,)."""
        return torch.exp(log_probs - old_log_probs) * advantages
