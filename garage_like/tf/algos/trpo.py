"""TRPO: trust region policy optimization."""

from __future__ import annotations

from functools import partial

from garage_like.algos.on_policy import EntropyMethod
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Sampler
from garage_like.logging.steps import log_step
from garage_like.tf.algos.vpg import VPG
from garage_like.tf.baselines.mlp_baseline import Optimizer
from garage_like.tf.distributions import Distribution
from garage_like.tf.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf

DEFAULT_KL = 0.01


class TRPO(VPG):
    """Take the best step for which the policy stays close to the old one, in the sense of KL.

    Schulman et al. 2015, arXiv:1502.05477. Differs from the paper: all states of the batch enter
    the curvature, and the baseline is a network or any other Baseline.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        baseline: a baseline in TensorFlow, or any other Baseline.
        sampler: where the trainer gets episodes.
        policy_optimizer: wraps a ConjugateGradientOptimizer; None for one with `max_kl_step`.
        vf_optimizer: None for Adam, 10 passes in minibatches of 64; only for an MLPBaseline.
        num_train_per_epoch: batches, each with its update, in one epoch.
        discount: factor for one env step.
        gae_lambda: 0 trusts the baseline, 1 the rewards.
        center_adv: shift and scale advantages to mean 0 and standard deviation 1.
        positive_adv: shift advantages so that the least is (nearly) 0.
        policy_ent_coeff: weight of the entropy of the policy.
        use_softplus_entropy: pass the entropy through softplus, so that it is never negative.
        stop_entropy_gradient: the entropy counts, but is not differentiated.
        entropy_method: 'max' adds entropy to rewards, 'regularized' to the objective.
        max_kl_step: the trust region, in nats; None for that of policy_optimizer, or 0.01.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if the baseline or an optimizer is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: Optimizer | None = None,
        num_train_per_epoch: int = 1,
        discount: float = 0.99,
        gae_lambda: float = 0.98,
        center_adv: bool = True,
        positive_adv: bool = False,
        policy_ent_coeff: float = 0.0,
        use_softplus_entropy: bool = False,
        stop_entropy_gradient: bool = False,
        entropy_method: EntropyMethod = "no_entropy",
        max_kl_step: float | None = None,
    ) -> None:
        if policy_optimizer is not None and max_kl_step is not None:
            raise ValueError(
                f"{type(self).__name__}: give max_kl_step ({max_kl_step!r}) or a policy_optimizer"
                " with its own max_constraint_value, not both"
            )
        if policy_optimizer is None:
            policy_optimizer = self._trust_region(policy, max_kl_step or DEFAULT_KL)
        super().__init__(
            env_spec,
            policy,
            baseline,
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

    def _objective(
        self, log_probs: tf.Tensor, old_log_probs: tf.Tensor, advantages: tf.Tensor
    ) -> tf.Tensor:
        """Compute r A, the objective of equation 14; all of shape (N,)."""
        return tf.exp(log_probs - old_log_probs) * advantages
