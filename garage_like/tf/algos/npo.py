"""NPO: natural policy optimization, which PPO and TRPO are instances of."""

from __future__ import annotations

from typing import Literal, Unpack

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.tf.algos.vpg import VPG, VPGKeywords
from garage_like.tf.baselines.network_baseline import Optimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf

PolicyLoss = Literal["vanilla", "surrogate", "surrogate_clip"]


class NPO(VPG):
    """Follow the gradient of one of three objectives, as far as the optimizer goes.

    The surrogate is that of Schulman et al. 2015, arXiv:1502.05477, equation 14; clipped, it is
    that of Schulman et al. 2017, arXiv:1707.06347, equation 7. Only TRPO has a trust region.

    Args:
        pg_loss: 'vanilla' is that of VPG, 'surrogate' weighs advantages by the likelihood ratio,
            'surrogate_clip' does not reward its leaving the neighbourhood of 1.
        lr_clip_range: by how much it may differ from 1 and still count.
    """

    _pg_loss: PolicyLoss = "surrogate"

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: Optimizer | None = None,
        *,
        pg_loss: PolicyLoss = "surrogate",
        lr_clip_range: float = 0.2,
        gae_lambda: float = 1.0,
        **options: Unpack[VPGKeywords],
    ) -> None:
        owner = type(self).__name__
        if pg_loss not in ("vanilla", "surrogate", "surrogate_clip"):
            raise ValueError(
                f"{owner}: pg_loss must be 'vanilla', 'surrogate' or 'surrogate_clip',"
                f" got {pg_loss!r}"
            )
        if not 0.0 < lr_clip_range < 1.0:
            raise ValueError(
                f"{owner}: lr_clip_range must lie between 0 and 1, got {lr_clip_range!r}"
            )
        parts = (env_spec, policy, baseline, sampler, policy_optimizer, vf_optimizer)
        super().__init__(*parts, gae_lambda=gae_lambda, **options)
        self._pg_loss = pg_loss
        self._lr_clip_range = lr_clip_range

    def _objective(
        self, log_probs: tf.Tensor, old_log_probs: tf.Tensor, advantages: tf.Tensor
    ) -> tf.Tensor:
        """Compute log pi A, r A, or min(r A, clip(r, 1 - eps, 1 + eps) A); all of shape (N,)."""
        if self._pg_loss == "vanilla":
            return super()._objective(log_probs, old_log_probs, advantages)
        ratio = tf.exp(log_probs - old_log_probs)
        if self._pg_loss == "surrogate":
            return ratio * advantages
        clipped = tf.clip_by_value(ratio, 1.0 - self._lr_clip_range, 1.0 + self._lr_clip_range)
        return tf.minimum(ratio * advantages, clipped * advantages)
