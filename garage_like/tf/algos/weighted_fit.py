"""WeightedFit: make a policy repeat actions, each as much as it weighs."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.tf.action_rows import action_rows
from garage_like.tf.optimizers.lbfgs_optimizer import LBFGSOptimizer
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class WeightedFit:
    """Minimise -mean(w log pi(a | s)) by an optimizer that reads losses and gradients.

    Args:
        policy: what is fitted.
        optimizer: has `minimize(loss, *tensors)`; None for L-BFGS, 20 iterations.
        penalty: weight of the mean square of the policy's parameters.

    Raises:
        TypeError: if the optimizer is none.
        ValueError: if the penalty is negative.
    """

    def __init__(
        self, policy: StochasticPolicy, optimizer: Any = None, penalty: float = 0.0
    ) -> None:
        if optimizer is not None and not callable(getattr(optimizer, "minimize", None)):
            raise TypeError(
                "policy_optimizer must have minimize(loss, *tensors), such as "
                f"LBFGSOptimizer(policy), got {optimizer!r}"
            )
        if not penalty >= 0.0:
            raise ValueError(f"l2_reg_loss must not be negative, got {penalty!r}")
        self._policy = policy
        self._optimizer = optimizer or LBFGSOptimizer(policy)
        self._penalty = penalty

    def __call__(self, episodes: EpisodeBatch, weights: np.ndarray) -> dict[str, float]:
        """Fit the policy to the actions of a batch.

        Args:
            episodes: S steps.
            weights: shape (S,), not negative.

        Returns:
            loss_before, loss_after, kl (mean KL(old || new)) and entropy.
        """
        data = (self._policy.inputs(episodes), action_rows(episodes), weights.astype(np.float32))
        loss_before, *old = self._before(*data)
        self._optimizer.minimize(self._loss, *data)
        loss_after, kl, entropy = self._after(tuple(old), *data)
        return {
            "loss_before": float(loss_before),
            "loss_after": float(loss_after),
            "kl": float(kl),
            "entropy": float(entropy),
        }

    def _loss(self, inputs: Any, actions: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Compute the loss.

        Args:
            inputs: the policy's, of S steps.
            actions: shape (S,) if discrete, else (S, K).
            weights: shape (S,).
        """
        loss = -tf.reduce_mean(weights * self._policy(inputs)[0].log_prob(actions))
        if self._penalty:
            variables = self._policy.trainable_variables
            squares = tf.add_n([tf.reduce_sum(tf.square(variable)) for variable in variables])
            count = sum(int(np.prod(variable.shape)) for variable in variables)
            loss = loss + self._penalty * squares / count
        return loss

    @traced
    def _before(self, inputs: Any, actions: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return the loss, and the arrays that make up the distribution over actions."""
        distribution = self._policy(inputs)[0]
        return self._loss(inputs, actions, weights), *vars(distribution).values()

    @traced
    def _after(
        self, old: tuple[tf.Tensor, ...], inputs: Any, actions: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the loss, KL(old || new) and the entropy."""
        distribution = self._policy(inputs)[0]
        kl = type(distribution)(*old).kl_divergence(distribution)
        entropy = tf.reduce_mean(distribution.entropy())
        return self._loss(inputs, actions, weights), tf.reduce_mean(kl), entropy
