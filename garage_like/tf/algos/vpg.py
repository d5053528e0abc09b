"""VPG: vanilla policy gradient, and the base of PPO, TRPO and TNPG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import numpy as np

from garage_like.algos.on_policy import (
    OnPolicyAlgorithm,
    OnPolicyBatch,
    OnPolicyOptions,
    policy_metrics,
)
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Metrics, Sampler
from garage_like.tf.action_rows import action_rows
from garage_like.tf.baselines.network_baseline import NetworkBaseline, Optimizer
from garage_like.tf.distributions import Distribution
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.described import described_optimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class VPGKeywords(OnPolicyOptions, total=False):
    """What VPG hands up, and what garage says instead of `policy_optimizer`."""

    optimizer: Any
    optimizer_args: Mapping[str, Any]


class VPG(OnPolicyAlgorithm):
    """Follow the gradient of expected return, one batch at a time.

    REINFORCE with a baseline (Williams 1992) and generalized advantage estimates (Schulman et al.
    2016, arXiv:1506.02438).

    Args:
        baseline: a baseline in TensorFlow, or any other Baseline.
        policy_optimizer: None for Adam, one step on the whole batch.
        vf_optimizer: None for the baseline's own; only for one in TensorFlow.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if the baseline or an optimizer is of the wrong kind.
    """

    policy: StochasticPolicy

    REPLACED: ClassVar[Mapping[str, str]] = {
        "_compute_objective": "_objective(log_probs, old_log_probs, advantages)",
        "_optimize_policy": "_update(batch)",
        "_build_inputs": "_loss(observations, actions, advantages, old_log_probs)",
        "_build_policy_loss": "_objective(log_probs, old_log_probs, advantages)",
        "_build_entropy_term": "_entropy(distribution)",
        "_policy_opt_input_values": "_update(batch)",
        "_fit_baseline_with_data": "_train_value_function(batch)",
        "_get_policy_entropy": "_entropies(episodes)",
        "_process_samples": "_learning_batch(episodes, values, last_values)",
    }

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: Optimizer | None = None,
        *,
        gae_lambda: float = 1.0,
        **options: Unpack[VPGKeywords],
    ) -> None:
        # Garage's names among the options are translated by now.
        super().__init__(  # type: ignore[misc]
            env_spec, policy, baseline, sampler, gae_lambda=gae_lambda, **options
        )
        self._check_optimizers(policy_optimizer, vf_optimizer)
        self._policy_optimizer = policy_optimizer or self._default_policy_optimizer(policy)
        self._check_order()
        if vf_optimizer is None and isinstance(baseline, NetworkBaseline):
            vf_optimizer = baseline.make_optimizer()
        self._vf_optimizer = vf_optimizer

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy) -> OptimizerWrapper:
        return OptimizerWrapper(Adam, policy)

    @classmethod
    def arguments_of_garage(cls, given: dict[str, Any], policy: Any) -> dict[str, Any]:
        """Return keyword arguments with garage's `optimizer` and `optimizer_args` made into one.

        Args:
            given: as a caller gave them.
            policy: what is trained.
        """
        if not given.keys() & {"optimizer", "optimizer_args"} or policy is None:
            return given
        given = dict(given)
        described = given.pop("optimizer", None), given.pop("optimizer_args", None)
        if described != (None, None):
            default = cls._default_policy_optimizer(policy)
            region = given.pop("max_kl_step", None)
            made = described_optimizer(cls.__name__, policy, *described, default, region)
            given["policy_optimizer"] = made
        return given

    def _update(self, batch: OnPolicyBatch) -> Metrics:
        observations = self.policy.inputs(batch.episodes)
        actions = action_rows(batch.episodes)
        advantages = batch.advantages.astype(np.float32)
        orders = self._policy_optimizer.orders(len(advantages))
        self._log_before_update()
        *metrics, backtracks = self._improve_policy(orders, observations, actions, advantages)
        self._log_search(len(advantages), int(backtracks))
        self._log_after_update()
        self._train_value_function(batch)
        loss_before, loss_after, kl, entropy = (metric.numpy().item() for metric in metrics)
        return policy_metrics(
            loss_before=loss_before, loss_after=loss_after, kl=kl, entropy=entropy
        )

    @traced
    def _improve_policy(
        self, orders: tf.Tensor, observations: tf.Tensor, actions: tf.Tensor, advantages: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Move the policy; return the loss before and after, KL(old || new) and the entropy.

        And last, how often a line search stepped back, where there is one.
        """
        old_distribution = self.policy(observations)[0].detached()
        data = (observations, actions, advantages, old_distribution.log_prob(actions))
        loss_before = self._loss(*data)
        backtracks = self._train_policy(old_distribution, orders, *data)
        distribution = self.policy(observations)[0]
        kl = tf.reduce_mean(old_distribution.kl_divergence(distribution))
        entropy = tf.reduce_mean(distribution.entropy())
        return loss_before, self._loss(*data), kl, entropy, backtracks

    def _log_search(self, num_inputs: int, backtracks: int) -> None:
        """Log how a line search went; where there is none, nothing."""

    def _train_policy(
        self,
        old_distribution: Distribution,
        orders: tf.Tensor,
        observations: tf.Tensor,
        actions: tf.Tensor,
        advantages: tf.Tensor,
        old_log_probs: tf.Tensor,
    ) -> tf.Tensor:
        """Move the policy; TRPO needs the whole old distribution for it.

        Returns:
            How often a line search stepped back; 0 if there is none.
        """
        self._policy_optimizer.take_steps(
            self._loss, orders, observations, actions, advantages, old_log_probs
        )
        return tf.constant(0)

    def _loss(
        self,
        observations: tf.Tensor,
        actions: tf.Tensor,
        advantages: tf.Tensor,
        old_log_probs: tf.Tensor,
    ) -> tf.Tensor:
        """Compute -mean(objective + coefficient * entropy).

        Args:
            observations: shape (N, D), flat; or the recurrent policy's inputs, of N steps.
            actions: shape (N,) if discrete, else (N, K).
            advantages: shape (N,).
            old_log_probs: shape (N,), under the policy that sampled.
        """
        distribution = self.policy(observations)[0]
        objective = self._objective(distribution.log_prob(actions), old_log_probs, advantages)
        if self._entropy_method == "regularized":
            objective = objective + self._policy_ent_coeff * self._entropy(distribution)
        return -tf.reduce_mean(objective)

    def _objective(
        self, log_probs: tf.Tensor, old_log_probs: tf.Tensor, advantages: tf.Tensor
    ) -> tf.Tensor:
        """Compute log pi(a | s) * A, whose gradient is the policy gradient; all of shape (N,)."""
        return log_probs * advantages

    def _entropy(self, distribution: Distribution) -> tf.Tensor:
        """Return the entropy, shape (N,), as the options ask."""
        entropy = distribution.entropy()
        if self._stop_entropy_gradient:
            entropy = tf.stop_gradient(entropy)
        return tf.nn.softplus(entropy) if self._use_softplus_entropy else entropy

    def _entropies(self, episodes: EpisodeBatch) -> np.ndarray:
        entropies: np.ndarray = self._entropy_of_each(self.policy.inputs(episodes)).numpy()
        return entropies

    @traced
    def _entropy_of_each(self, observations: tf.Tensor) -> tf.Tensor:
        return self._entropy(self.policy(observations)[0])

    def _check_order(self) -> None:
        if not self._policy_optimizer.is_first_order:
            raise TypeError(
                f"{type(self).__name__}: policy_optimizer must wrap an optimizer of first order,"
                f" such as Adam, got {self._policy_optimizer.optimizer!r}"
            )

    def _check_optimizers(self, policy_optimizer: Any, vf_optimizer: Any) -> None:
        owner = type(self).__name__
        if policy_optimizer is not None and not isinstance(policy_optimizer, OptimizerWrapper):
            raise TypeError(
                f"{owner}: policy_optimizer must be an OptimizerWrapper, such as OptimizerWrapper("
                f"(Adam, dict(lr=1e-3)), policy), got {policy_optimizer!r}"
            )
        if vf_optimizer is None:
            return
        if not callable(getattr(vf_optimizer, "minimize", None)):
            raise TypeError(
                f"{owner}: vf_optimizer must be an OptimizerWrapper, such as OptimizerWrapper("
                "(Adam, dict(lr=1e-3)), baseline), or an LBFGSOptimizer(baseline), got "
                f"{vf_optimizer!r}"
            )
        if not isinstance(self._value_function, NetworkBaseline):
            raise ValueError(
                f"{owner}: {type(self._value_function).__name__} fits itself; "
                "leave vf_optimizer out"
            )
