"""DDPG: deep deterministic policy gradient."""

from __future__ import annotations

import math
from typing import Any, Unpack

import numpy as np

from garage_like.algos.off_policy import OffPolicyOptions, metrics_of
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Metrics, Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.replay_buffer.transitions import Transitions
from garage_like.tf.algos.minibatch import Minibatch
from garage_like.tf.algos.target_networks import TargetNetworks, check_tau, target_of
from garage_like.tf.algos.tf_off_policy import (
    LearningRate,
    OptimizerSpec,
    TFOffPolicyAlgorithm,
    values_of,
    weighted_mean,
)
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced


class DDPG(TFOffPolicyAlgorithm):
    """Follow the gradient of a Q-function with respect to the action.

    Lillicrap et al. 2016, arXiv:1509.02971.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        qf: values observations and actions.
        replay_buffer: a PathBuffer of any kind.
        sampler: where the trainer gets transitions; None for one environment, mid-episode on.
        exploration_policy: acts while collecting, such as AddOrnsteinUhlenbeckNoise; None for
            `policy`.
        target_update_tau: how far the targets move to the online networks at each gradient step.
        policy_lr: learning rate, a number or a Schedule.
        qf_lr: learning rate, a number or a Schedule.
        policy_optimizer: a class, or a pair of it and its keyword arguments.
        qf_optimizer: as policy_optimizer.
        clip_pos_returns: no target is above 0.
        clip_return: no target is further from 0.
        n_train_steps: garage's name for gradient_steps_per_itr.
        **options: arguments of OffPolicyAlgorithm.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    UPDATE_METRICS = ("Loss/Policy", "Loss/Critic", "Q-network/Q1", "Target/Mean")
    METRICS = metrics_of(
        UPDATE_METRICS, "Learning/PolicyLearningRate", "Learning/CriticLearningRate"
    )

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: ContinuousMLPPolicy,
        qf: Any,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        exploration_policy: Any = None,
        target_update_tau: float = 0.01,
        policy_lr: LearningRate = 1e-4,
        qf_lr: LearningRate = 1e-3,
        policy_optimizer: OptimizerSpec = Adam,
        qf_optimizer: OptimizerSpec = Adam,
        clip_pos_returns: bool = False,
        clip_return: float = math.inf,
        n_train_steps: int | None = None,
        **options: Unpack[OffPolicyOptions],
    ) -> None:
        check_tau("DDPG", target_update_tau)
        if not clip_return > 0.0:
            raise ValueError(f"DDPG: clip_return must be positive, got {clip_return!r}")
        if n_train_steps is not None:
            options["gradient_steps_per_itr"] = n_train_steps
        super().__init__(
            env_spec,
            policy,
            replay_buffer,
            sampler,
            exploration_policy=exploration_policy,
            **options,
        )
        self._qf = qf
        self._target_policy, self._target_qf = target_of(policy), target_of(qf)
        self._targets = TargetNetworks((self._target_policy, policy), (self._target_qf, qf))
        self._policy_optimizer = self._make_optimizer("Policy", policy_optimizer, policy_lr, policy)
        self._qf_optimizer = self._make_optimizer("Critic", qf_optimizer, qf_lr, qf)
        self._target_update_tau = target_update_tau
        self._target_range = (-clip_return, 0.0 if clip_pos_returns else clip_return)

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
