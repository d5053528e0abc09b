"""DQN: deep Q-learning."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.algos.dqn import DeepQLearning
from garage_like.configuration.extension_points import overrides
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.tf.algos.minibatch import Minibatch
from garage_like.tf.algos.tf_off_policy import TFOffPolicyAlgorithm, weighted_mean
from garage_like.tf.kernels.q_learning import QLearningKernel, QLearningOptions
from garage_like.tf.policies.discrete_qf_argmax_policy import DiscreteQFArgmaxPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class DQN(DeepQLearning[DiscreteQFArgmaxPolicy, Any], TFOffPolicyAlgorithm):
    """Learn what each action is worth, and take the best."""

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        loss, value, target, errors = self._train_qf(self._minibatch(transitions))
        metrics = {
            "Loss/Critic": loss.numpy().item(),
            "Q-network/Q1": value.numpy().item(),
            "Target/Mean": target.numpy().item(),
        }
        return metrics, errors.numpy()

    def _make_kernel(self, alone: bool) -> QLearningKernel | None:
        if overrides(self, DQN, "_update", "_train_qf", "_target_values", "_move"):
            return None
        alone = alone and getattr(self.policy, "qf", None) is self._qf
        return QLearningKernel.make(
            self._qf, self._target_qf, self._qf_optimizer, self._targets, alone
        )

    def _take_gradient_step(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        if self._kernel is None:
            return self._update(transitions)
        options = QLearningOptions(
            self._discount, self._double_q, self._clip_rewards, self._clip_gradient
        )
        outcome: tuple[Metrics, np.ndarray] = self._kernel.update(
            self._minibatch(transitions), options
        )
        return outcome

    @traced
    def _train_qf(self, batch: Minibatch) -> tuple[tf.Tensor, ...]:
        """Move the Q-function; return loss, mean value, mean target, and errors, shape (B,)."""
        targets = self._target_values(batch)
        with tf.GradientTape() as tape:
            values = tf.gather(self._qf(batch.observations), batch.actions, batch_dims=1)
            loss = weighted_mean(huber(targets - values), batch.weights)
        self._move("Critic", tape, loss, self._clip_gradient)
        return loss, tf.reduce_mean(values), tf.reduce_mean(targets), targets - values

    def _target_values(self, batch: Minibatch) -> tf.Tensor:
        """Return r + discount * Q'(s', argmax Q(s', .)), shape (B,)."""
        rewards = batch.rewards
        if self._clip_rewards is not None:
            rewards = tf.clip_by_value(rewards, -self._clip_rewards, self._clip_rewards)
        next_values = self._target_qf(batch.next_observations)
        chooser = self._qf(batch.next_observations) if self._double_q else next_values
        next_value = tf.gather(next_values, tf.argmax(chooser, 1), batch_dims=1)
        return rewards + self._discount * batch.continues * next_value


def huber(errors: tf.Tensor) -> tf.Tensor:
    """Compute e^2 / 2 where |e| < 1, else |e| - 1/2."""
    size = tf.abs(errors)
    return tf.where(size < 1.0, 0.5 * tf.square(errors), size - 0.5)
