"""TD3: twin delayed deep deterministic policy gradient."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from garage_like import seeding
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


class TD3(TFOffPolicyAlgorithm):
    """Trust the less hopeful of two Q-functions, smooth its targets, and move the policy later.

    Fujimoto et al. 2018, arXiv:1802.09477.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained; its actions keep within the bounds of the action space.
        qf1: values observations and actions.
        qf2: another one.
        replay_buffer: a PathBuffer of any kind.
        sampler: where the trainer gets transitions; None for one environment, mid-episode on.
        exploration_policy: acts while collecting, such as AddGaussianNoise; None for `policy`.
        target_update_tau: how far the targets move to the online networks at each update of both.
        update_actor_interval: gradient steps of the Q-functions for one of the policy.
        policy_noise: standard deviation of the noise on target actions, in half widths of the
            action space.
        policy_noise_clip: what that noise is clipped to, in the same unit.
        policy_lr: learning rate, a number or a Schedule.
        qf_lr: learning rate, a number or a Schedule.
        policy_optimizer: a class, or a pair of it and its keyword arguments.
        qf_optimizer: as policy_optimizer.
        grad_steps_per_env_step: garage's name for gradient_steps_per_env_step.
        **options: arguments of OffPolicyAlgorithm.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    UPDATE_METRICS = ("Loss/Policy", "Loss/Critic", "Q-network/Q1", "Q-network/Q2", "Target/Mean")
    METRICS = metrics_of(
        UPDATE_METRICS, "Learning/PolicyLearningRate", "Learning/CriticLearningRate"
    )

    policy: ContinuousMLPPolicy

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: ContinuousMLPPolicy,
        qf1: Any,
        qf2: Any,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        exploration_policy: Any = None,
        target_update_tau: float = 0.005,
        update_actor_interval: int = 2,
        policy_noise: float = 0.2,
        policy_noise_clip: float = 0.5,
        policy_lr: LearningRate = 3e-4,
        qf_lr: LearningRate = 3e-4,
        policy_optimizer: OptimizerSpec = Adam,
        qf_optimizer: OptimizerSpec = Adam,
        grad_steps_per_env_step: float | None = None,
        **options: Unpack[OffPolicyOptions],
    ) -> None:
        check_tau("TD3", target_update_tau)
        if update_actor_interval < 1:
            raise ValueError(
                f"TD3: update_actor_interval must be at least 1, got {update_actor_interval!r}"
            )
        for name, value in (
            ("policy_noise", policy_noise),
            ("policy_noise_clip", policy_noise_clip),
        ):
            if not value >= 0.0:
                raise ValueError(f"TD3: {name} must be 0 or more, got {value!r}")
        if grad_steps_per_env_step is not None:
            options["gradient_steps_per_env_step"] = grad_steps_per_env_step
        super().__init__(
            env_spec,
            policy,
            replay_buffer,
            sampler,
            exploration_policy=exploration_policy,
            **options,
        )
        self._qf1, self._qf2 = qf1, qf2
        self._target_policy = target_of(policy)
        self._target_qf1, self._target_qf2 = target_of(qf1), target_of(qf2)
        self._targets = TargetNetworks(
            (self._target_policy, policy), (self._target_qf1, qf1), (self._target_qf2, qf2)
        )
        self._policy_optimizer = self._make_optimizer("Policy", policy_optimizer, policy_lr, policy)
        self._qf_optimizer = self._make_optimizer("Critic", qf_optimizer, qf_lr, qf1, qf2)
        self._target_update_tau = target_update_tau
        self._update_actor_interval = update_actor_interval
        self._policy_noise = policy_noise
        self._policy_noise_clip = policy_noise_clip
        self._rng = seeding.stream("TD3")

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        shape = (len(batch.rewards), self._env_spec.action_dim)
        noise = self._rng.standard_normal(shape, np.float32)
        moves_policy = (self._gradient_steps + 1) % self._update_actor_interval == 0
        train = self._train_all if moves_policy else self._train_qfs
        *means, errors = train(batch, noise)
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
