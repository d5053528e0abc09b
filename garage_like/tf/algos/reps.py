"""REPS: relative entropy policy search."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.algos.reps import RelativeEntropyPolicySearch
from garage_like.batches import EpisodeBatch
from garage_like.env_spec import EnvSpec
from garage_like.interfaces import Metrics, Sampler
from garage_like.np.time_features import feature_differences
from garage_like.tf.action_rows import action_rows
from garage_like.tf.optimizers.lbfgs_optimizer import LBFGSOptimizer
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class REPS(RelativeEntropyPolicySearch):
    """Weight each step by how it turned out, and fit the policy to the weighted actions.

    Peters, Muelling and Altun 2010, "Relative Entropy Policy Search", the version with a value
    function that is linear in features and one sample of the next observation. Differs from the
    paper: the policy is a network, fitted by L-BFGS, and the duration of episodes is a feature.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        sampler: where the trainer gets episodes.
        policy_optimizer: has `minimize(loss, *tensors)`; None for L-BFGS, 20 iterations.
        discount: for what is logged; learning does not discount.
        epsilon: bound of the relative entropy between two policies' steps, in nats.
        l2_reg_dual: weight of eta^2 + 1 / eta^2 in the dual function.
        l2_reg_loss: weight of the mean square of the policy's parameters.
        dual_iterations: iterations of L-BFGS on the dual function.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the optimizer is none.
    """

    policy: StochasticPolicy

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        sampler: Sampler | None = None,
        policy_optimizer: Any = None,
        discount: float = 0.99,
        epsilon: float = 0.5,
        l2_reg_dual: float = 0.0,
        l2_reg_loss: float = 0.0,
        dual_iterations: int = 50,
    ) -> None:
        super().__init__(
            env_spec,
            policy,
            sampler,
            discount=discount,
            epsilon=epsilon,
            l2_reg_dual=l2_reg_dual,
            dual_iterations=dual_iterations,
        )
        if not l2_reg_loss >= 0.0:
            raise ValueError(f"REPS: l2_reg_loss must not be negative, got {l2_reg_loss!r}")
        if policy_optimizer is not None and not callable(
            getattr(policy_optimizer, "minimize", None)
        ):
            raise TypeError(
                "REPS: policy_optimizer must have minimize(loss, *tensors), such as "
                f"LBFGSOptimizer(policy), got {policy_optimizer!r}"
            )
        self._l2_reg_loss = l2_reg_loss
        self._policy_optimizer = policy_optimizer or LBFGSOptimizer(policy)

    def _feature_differences(self, episodes: EpisodeBatch) -> np.ndarray:
        return feature_differences(episodes)

    def _fit(self, episodes: EpisodeBatch, weights: np.ndarray) -> Metrics:
        inputs, actions = self.policy.inputs(episodes), action_rows(episodes)
        data = (inputs, actions, weights.astype(np.float32))
        old, loss_before = self._look(*data)
        self._policy_optimizer.minimize(self._loss, *data)
        metrics = self._compare(old, *data)
        loss_after, kl, entropy = (metric.numpy().item() for metric in metrics)
        return {
            "policy/LossBefore": loss_before.numpy().item(),
            "policy/LossAfter": loss_after,
            "policy/KL": kl,
            "policy/Entropy": entropy,
        }

    def _loss(self, inputs: Any, actions: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Compute -mean(w log pi(a | s)).

        Args:
            inputs: the policy's, of S steps.
            actions: shape (S,) if discrete, else (S, K).
            weights: shape (S,), of mean 1.
        """
        loss = -tf.reduce_mean(weights * self.policy(inputs)[0].log_prob(actions))
        if self._l2_reg_loss:
            variables = self.policy.trainable_variables
            squares = tf.add_n([tf.reduce_sum(tf.square(v)) for v in variables])
            count = sum(int(np.prod(variable.shape)) for variable in variables)
            loss = loss + self._l2_reg_loss * squares / count
        return loss
