"""DDPG: deep deterministic policy gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.algos.ddpg import DeterministicPolicyGradient
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.tf.algos.minibatch import Minibatch
from garage_like.tf.algos.tf_off_policy import TFOffPolicyAlgorithm, values_of, weighted_mean
from garage_like.tf.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class DDPG(DeterministicPolicyGradient[ContinuousMLPPolicy, Any], TFOffPolicyAlgorithm):
    """Follow the gradient of a Q-function with respect to the action."""

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        *means, errors = self._train_both(self._minibatch(transitions))
        policy_loss, qf_loss, value, target = (mean.numpy().item() for mean in means)
        metrics = {
            "Loss/Policy": policy_loss,
            "Loss/Critic": qf_loss,
            "Q-network/Q1": value,
            "Target/Mean": target,
        }
        return metrics, errors.numpy()

    @traced
    def _train_both(self, batch: Minibatch) -> tuple[tf.Tensor, ...]:
        """Move the Q-function, then the policy, then the targets of both.

        Returns:
            The losses of policy and Q-function, mean value, mean target, and errors, shape (B,).
        """
        next_actions = self._target_policy(batch.next_observations)
        next_values = values_of(self._target_qf, batch.next_observations, next_actions)
        targets = batch.rewards + self._discount * batch.continues * next_values
        targets = tf.clip_by_value(targets, *self._target_range)

        with tf.GradientTape() as tape:
            values = values_of(self._qf, batch.observations, batch.actions)
            qf_loss = weighted_mean(tf.square(targets - values), batch.weights)
        self._move("Critic", tape, qf_loss)

        with tf.GradientTape() as tape:
            actions = self.policy(batch.observations)
            policy_loss = -tf.reduce_mean(values_of(self._qf, batch.observations, actions))
        self._move("Policy", tape, policy_loss)

        self._targets.update(self._target_update_tau)
        means = (tf.reduce_mean(values), tf.reduce_mean(targets))
        return policy_loss, qf_loss, *means, targets - values
