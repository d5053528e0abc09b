"""PPO: proximal policy optimization.

Three files say all of it: this one what is clipped, `vpg.py` how a batch is learned from, and
`garage_like/algos/on_policy.py` what an epoch is.
"""

from __future__ import annotations

from typing import Unpack

import torch

from garage_like.algos.on_policy import OnPolicyOptions
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.torch.algos.vpg import VPG
from garage_like.torch.kernels.policy_gradient import PolicyGradient
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.recurrent_policy import RecurrentPolicy
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class PPO(VPG):
    """Take many gradient steps on a batch, but none for leaving the old policy's neighbourhood.

    Schulman et al. 2017, arXiv:1707.06347. Differs from the paper: the value function has its own
    network and optimizer, and the entropy bonus is off by default.

    Args:
        policy_optimizer: None for Adam, 10 passes in minibatches of 64; for a recurrent policy, 10
            steps on the whole batch.
        lr_clip_range: by how much the likelihood ratio may differ from 1 and still count.
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
        *,
        gae_lambda: float = 0.97,
        **options: Unpack[OnPolicyOptions],
    ) -> None:
        if not 0.0 < lr_clip_range < 1.0:
            raise ValueError(f"PPO: lr_clip_range must lie between 0 and 1, got {lr_clip_range!r}")
        parts = (env_spec, policy, value_function, sampler, policy_optimizer, vf_optimizer)
        super().__init__(*parts, gae_lambda=gae_lambda, **options)
        self._lr_clip_range = lr_clip_range

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy, /) -> OptimizerWrapper:
        if isinstance(policy, RecurrentPolicy):
            # A minibatch of steps costs a pass over all episodes: fewer and longer steps pay.
            return OptimizerWrapper((torch.optim.Adam, {"lr": 1e-3}), policy, 10)
        return OptimizerWrapper(
            (torch.optim.Adam, {"lr": 2.5e-4}),
            policy,
            max_optimization_epochs=10,
            minibatch_size=64,
        )

    def _analytic_gradient(self) -> PolicyGradient | None:
        return self._gradient_unless_replaced(PPO, self._lr_clip_range)

    def _objective(
        self, log_probs: torch.Tensor, old_log_probs: torch.Tensor, advantages: torch.Tensor
    ) -> torch.Tensor:
        """Compute min(r A, clip(r, 1 - eps, 1 + eps) A), equation 7; all of shape (N,)."""
        ratio = torch.exp(log_probs - old_log_probs)
        clipped = ratio.clamp(1.0 - self._lr_clip_range, 1.0 + self._lr_clip_range)
        return torch.minimum(ratio * advantages, clipped * advantages)
