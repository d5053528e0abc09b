"""PPO: proximal policy optimization."""

from __future__ import annotations

from typing import Unpack

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.tf.algos.npo import NPO, PolicyLoss
from garage_like.tf.algos.vpg import VPGKeywords
from garage_like.tf.baselines.network_baseline import Optimizer
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.recurrent_policy import RecurrentPolicy
from garage_like.tf.policies.stochastic_policy import StochasticPolicy


class PPO(NPO):
    """Take many gradient steps on a batch, but none for leaving the old policy's neighbourhood.

    Schulman et al. 2017, arXiv:1707.06347. Differs from the paper: the value function has its own
    network and optimizer, and the entropy bonus is off by default.

    Args:
        policy_optimizer: None for Adam, 10 passes in minibatches of 64; for a recurrent policy, 10
            steps on the whole batch.
        lr_clip_range: by how much the likelihood ratio may differ from 1 and still count.
    """

    _pg_loss: PolicyLoss = "surrogate_clip"

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: Optimizer | None = None,
        lr_clip_range: float = 0.2,
        *,
        gae_lambda: float = 0.97,
        **options: Unpack[VPGKeywords],
    ) -> None:
        parts = (env_spec, policy, baseline, sampler, policy_optimizer, vf_optimizer)
        super().__init__(
            *parts,
            gae_lambda=gae_lambda,
            **options,
            pg_loss="surrogate_clip",
            lr_clip_range=lr_clip_range,
        )

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy) -> OptimizerWrapper:
        if isinstance(policy, RecurrentPolicy):
            # A minibatch of steps costs a pass over all episodes: fewer and longer steps pay.
            return OptimizerWrapper((Adam, {"lr": 1e-3}), policy, max_optimization_epochs=10)
        return OptimizerWrapper(
            (Adam, {"lr": 2.5e-4}),
            policy,
            max_optimization_epochs=10,
            minibatch_size=64,
        )
