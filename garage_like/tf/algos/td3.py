"""TD3: twin delayed deep deterministic policy gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.algos.td3 import TwinDelayedPolicyGradient
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.tf.algos.minibatch import Minibatch
from garage_like.tf.algos.tf_off_policy import TFOffPolicyAlgorithm, values_of, weighted_mean
from garage_like.tf.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class TD3(TwinDelayedPolicyGradient[ContinuousMLPPolicy, Any], TFOffPolicyAlgorithm):
    """Trust the less hopeful of two Q-functions, smooth its targets, and move the policy later."""

    policy: ContinuousMLPPolicy

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        train = self._train_all if self._moves_policy else self._train_qfs
        *means, errors = train(batch, self._noise(len(batch.rewards)))
        names = ("Loss/Critic", "Q-network/Q1", "Q-network/Q2", "Target/Mean", "Loss/Policy")
        metrics = {name: mean.numpy().item() for name, mean in zip(names, means, strict=False)}
        return metrics, errors.numpy()

    @traced
    def _train_all(self, batch: Minibatch, noise: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Move the Q-functions, the policy, and the targets of all."""
        *means, errors = self._move_qfs(batch, noise)
        policy_loss = self._move_policy(batch.observations)
        self._targets.update(self._target_update_tau)
        return *means, policy_loss, errors

    @traced
    def _train_qfs(self, batch: Minibatch, noise: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Move the Q-functions alone."""
        return self._move_qfs(batch, noise)

    def _move_qfs(self, batch: Minibatch, noise: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return loss, mean values of both, mean target, and errors, shape (B,).

        Args:
            batch: of B transitions.
            noise: shape (B, K), standard normal.
        """
        next_actions = self._smoothed_actions(batch.next_observations, noise)
        next_values = tf.minimum(
            values_of(self._target_qf1, batch.next_observations, next_actions),
            values_of(self._target_qf2, batch.next_observations, next_actions),
        )
        targets = batch.rewards + self._discount * batch.continues * next_values
        with tf.GradientTape() as tape:
            values1 = values_of(self._qf1, batch.observations, batch.actions)
            values2 = values_of(self._qf2, batch.observations, batch.actions)
            errors = tf.square(targets - values1) + tf.square(targets - values2)
            loss = weighted_mean(errors, batch.weights)
        self._move("Critic", tape, loss)
        means = [tf.reduce_mean(values) for values in (values1, values2, targets)]
        return loss, *means, tf.sqrt(0.5 * errors)

    def _smoothed_actions(self, observations: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Return the target policy's actions, shape (B, K), with clipped noise, within bounds."""
        actions = self._target_policy(observations)
        centre, scale = self.policy.action_centre, self.policy.action_scale
        limit = self._policy_noise_clip
        noise = tf.clip_by_value(noise * self._policy_noise, -limit, limit) * scale
        return tf.minimum(tf.maximum(actions + noise, centre - scale), centre + scale)

    def _move_policy(self, observations: tf.Tensor) -> tf.Tensor:
        """Move the policy up the first Q-function; return the loss."""
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(values_of(self._qf1, observations, self.policy(observations)))
        self._move("Policy", tape, loss)
        return loss
