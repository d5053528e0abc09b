"""TRPO: trust region policy optimization."""

from __future__ import annotations

from functools import partial

import torch
from torch.distributions import Distribution, kl_divergence

from garage_like.algos.on_policy import EntropyMethod
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
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        value_function: a value function in torch, or any other Baseline.
        sampler: where the trainer gets episodes.
        policy_optimizer: wraps a ConjugateGradientOptimizer; None for one with a mean KL of 0.01.
        vf_optimizer: None for Adam, 10 passes in minibatches of 64; only for one in torch.
        num_train_per_epoch: batches, each with its update, in one epoch.
        discount: factor for one env step.
        gae_lambda: 0 trusts the value function, 1 the rewards.
        center_adv: shift and scale advantages to mean 0 and standard deviation 1.
        positive_adv: shift advantages so that the least is (nearly) 0.
        policy_ent_coeff: weight of the entropy of the policy.
        use_softplus_entropy: pass the entropy through softplus, so that it is never negative.
        stop_entropy_gradient: the entropy counts, but is not differentiated.
        entropy_method: 'max' adds entropy to rewards, 'regularized' to the objective.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if the value function or an optimizer is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: OptimizerWrapper | None = None,
        num_train_per_epoch: int = 1,
        discount: float = 0.99,
        gae_lambda: float = 0.98,
        center_adv: bool = True,
        positive_adv: bool = False,
        policy_ent_coeff: float = 0.0,
        use_softplus_entropy: bool = False,
        stop_entropy_gradient: bool = False,
        entropy_method: EntropyMethod = "no_entropy",
    ) -> None:
        super().__init__(
            env_spec,
            policy,
            value_function,
            sampler,
            policy_optimizer,
            vf_optimizer,
            num_train_per_epoch,
            discount,
            gae_lambda,
            center_adv,
            positive_adv,
            policy_ent_coeff,
            use_softplus_entropy,
            stop_entropy_gradient,
            entropy_method,
        )
        inner = self._policy_optimizer.optimizer
        if not isinstance(inner, ConjugateGradientOptimizer):
            raise TypeError(
                "TRPO: policy_optimizer must wrap a ConjugateGradientOptimizer, such as "
                "OptimizerWrapper((ConjugateGradientOptimizer, dict(max_constraint_value=0.01)), "
                f"policy), got {inner!r}"
            )

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy) -> OptimizerWrapper:
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
