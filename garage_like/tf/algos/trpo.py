"""TRPO: trust region policy optimization."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.logging.steps import log_step
from garage_like.tf.algos.npo import NPO
from garage_like.tf.algos.vpg import VPGKeywords
from garage_like.tf.baselines.network_baseline import Optimizer
from garage_like.tf.distributions import Distribution
from garage_like.tf.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf

DEFAULT_KL = 0.01


class TRPO(NPO):
    """Take the best step for which the policy stays close to the old one, in the sense of KL.

    Schulman et al. 2015, arXiv:1502.05477. Differs from the paper: all states of the batch enter
    the curvature, and the baseline is a network or any other Baseline.

    Args:
        policy_optimizer: wraps a ConjugateGradientOptimizer; None for one with `max_kl_step`.
        max_kl_step: the trust region, in nats; None for that of policy_optimizer, or 0.01.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: Optimizer | None = None,
        *,
        max_kl_step: float | None = None,
        gae_lambda: float = 0.98,
        **options: Unpack[VPGKeywords],
    ) -> None:
        if policy_optimizer is not None and max_kl_step is not None:
            raise ValueError(
                f"{type(self).__name__}: give max_kl_step ({max_kl_step!r}) or a policy_optimizer"
                " with its own max_constraint_value, not both"
            )
        if policy_optimizer is None:
            policy_optimizer = self._trust_region(policy, max_kl_step or DEFAULT_KL)
        parts = (env_spec, policy, baseline, sampler, policy_optimizer, vf_optimizer)
        super().__init__(*parts, gae_lambda=gae_lambda, **options)

    def _check_order(self) -> None:
        inner = self._policy_optimizer.optimizer
        if not isinstance(inner, ConjugateGradientOptimizer):
            raise TypeError(
                f"{type(self).__name__}: policy_optimizer must wrap a ConjugateGradientOptimizer,"
                " such as OptimizerWrapper((ConjugateGradientOptimizer,"
                f" dict(max_constraint_value=0.01)), policy), got {inner!r}"
            )

    @classmethod
    def _default_policy_optimizer(cls, policy: StochasticPolicy) -> OptimizerWrapper:
        return cls._trust_region(policy, DEFAULT_KL)

    @staticmethod
    def _trust_region(policy: StochasticPolicy, max_kl: float) -> OptimizerWrapper:
        options = {"max_constraint_value": max_kl}
        return OptimizerWrapper((ConjugateGradientOptimizer, options), policy)

    def _train_policy(
        self,
        old_distribution: Distribution,
        orders: tf.Tensor,
        observations: tf.Tensor,
        actions: tf.Tensor,
        advantages: tf.Tensor,
        old_log_probs: tf.Tensor,
    ) -> tf.Tensor:
        _, backtracks = self._policy_optimizer.optimizer.search_step(
            f_loss=partial(self._loss, observations, actions, advantages, old_log_probs),
            f_constraint=partial(self._mean_kl, old_distribution, observations),
        )
        return backtracks

    def _log_search(self, num_inputs: int, backtracks: int) -> None:
        size = len(self.policy.get_param_values())
        numbers = f"#parameters: {size}, #inputs: {num_inputs}, #subsample_inputs: {num_inputs}"
        for step in (
            f"Start CG optimization: {numbers}",
            "computing loss before",
            "computing gradient",
            "gradient computed",
            "computing descent direction",
            "descent direction computed",
            f"backtrack iters: {backtracks}",
            "optimization finished",
        ):
            log_step(step)

    def _mean_kl(self, old_distribution: Distribution, observations: tf.Tensor) -> tf.Tensor:
        """Compute the mean of KL(old || new), the constraint of equation 12."""
        return tf.reduce_mean(old_distribution.kl_divergence(self.policy(observations)[0]))
