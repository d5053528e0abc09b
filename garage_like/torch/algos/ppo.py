"""PPO: proximal policy optimization."""

from __future__ import annotations

import torch

from garage_like.algos.on_policy import EntropyMethod
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.torch.algos.vpg import VPG
from garage_like.torch.kernels.on_policy import policy_gradient
from garage_like.torch.kernels.policy_gradient import PolicyGradient
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class PPO(VPG):
    """Take many gradient steps on a batch, but none for leaving the old policy's neighbourhood.

    Schulman et al. 2017, arXiv:1707.06347. Differs from the paper: the value function has its own
    network and optimizer, and the entropy bonus is off by default.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        value_function: a value function in torch, or any other Baseline.
        sampler: where the trainer gets episodes.
        policy_optimizer: None for Adam, 10 passes in minibatches of 64.
        vf_optimizer: None for Adam, 10 passes in minibatches of 64; only for one in torch.
        lr_clip_range: by how much the likelihood ratio may differ from 1 and still count.
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
        lr_clip_range: float = 0.2,
        num_train_per_epoch: int = 1,
        discount: float = 0.99,
        gae_lambda: float = 0.97,
        center_adv: bool = True,
        positive_adv: bool = False,
        policy_ent_coeff: float = 0.0,
        use_softplus_entropy: bool = False,
        stop_entropy_gradient: bool = False,
        entropy_method: EntropyMethod = "no_entropy",
    ) -> None:
        if not 0.0 < lr_clip_range < 1.0:
            raise ValueError(f"PPO: lr_clip_range must lie between 0 and 1, got {lr_clip_range!r}")
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
        self._lr_clip_range = lr_clip_range

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy) -> OptimizerWrapper:
        return OptimizerWrapper(
            (torch.optim.Adam, {"lr": 2.5e-4}),
            policy,
            max_optimization_epochs=10,
            minibatch_size=64,
        )

    def _analytic_gradient(self) -> PolicyGradient | None:
        if self._use_softplus_entropy or not self._has_the_losses_of(PPO):
            return None
        return policy_gradient(
            self.policy, self._policy_optimizer, self._lr_clip_range, self._entropy_weight()
        )

    def _objective(
        self, log_probs: torch.Tensor, old_log_probs: torch.Tensor, advantages: torch.Tensor
    ) -> torch.Tensor:
        """Compute min(r A, clip(r, 1 - eps, 1 + eps) A), equation 7; all of shape (N,)."""
        ratio = torch.exp(log_probs - old_log_probs)
        clipped = ratio.clamp(1.0 - self._lr_clip_range, 1.0 + self._lr_clip_range)
        return torch.minimum(ratio * advantages, clipped * advantages)
