"""The half of TD3 that needs no framework: what it is told, noise, and when the policy moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, Unpack

import numpy as np

from garage_like import seeding
from garage_like.algos.learning_networks import OptimizerSpec, check_tau
from garage_like.algos.off_policy import OffPolicyAlgorithm, OffPolicyKeywords, metrics_of
from garage_like.algos.schedules import LearningRate
from garage_like.configuration.garage_arguments import TD3Names
from garage_like.interfaces import Policy

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Sampler
    from garage_like.replay_buffer import PathBuffer

PolicyType = TypeVar("PolicyType", bound=Policy)
QFunction = TypeVar("QFunction")


class TD3Keywords(OffPolicyKeywords, TD3Names, total=False):
    """What TD3 hands up."""


class TwinDelayedPolicyGradient(OffPolicyAlgorithm, Generic[PolicyType, QFunction]):
    """Trust the less hopeful of two Q-functions, smooth its targets, and move the policy later.

    Fujimoto et al. 2018, arXiv:1802.09477.

    Args:
        policy: what is trained; its actions keep within the bounds of the action space.
        qf1: values observations and actions.
        qf2: another one.
        target_update_tau: how far the targets move to the online networks at each update of both.
        update_actor_interval: gradient steps of the Q-functions for one of the policy.
        policy_noise: standard deviation of the noise on target actions, in half widths of the
            action space.
        policy_noise_clip: what that noise is clipped to, in the same unit.
        policy_lr: learning rate, a number or a Schedule.
        qf_lr: learning rate, a number or a Schedule.
        policy_optimizer: a class, or a pair of it and its keyword arguments; None for Adam.
        qf_optimizer: as policy_optimizer.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    UPDATE_METRICS = ("Loss/Policy", "Loss/Critic", "Q-network/Q1", "Q-network/Q2", "Target/Mean")
    METRICS = metrics_of(
        UPDATE_METRICS, "Learning/PolicyLearningRate", "Learning/CriticLearningRate"
    )

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: PolicyType,
        qf1: QFunction,
        qf2: QFunction,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        target_update_tau: float = 0.005,
        update_actor_interval: int = 2,
        policy_noise: float = 0.2,
        policy_noise_clip: float = 0.5,
        policy_lr: LearningRate = 3e-4,
        qf_lr: LearningRate = 3e-4,
        policy_optimizer: OptimizerSpec | None = None,
        qf_optimizer: OptimizerSpec | None = None,
        **options: Unpack[TD3Keywords],
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
        # Garage's names among the options are translated by now.
        super().__init__(env_spec, policy, replay_buffer, sampler, **options)  # type: ignore[misc]
        self._qf1, self._qf2 = qf1, qf2
        self._target_policy, self._target_qf1, self._target_qf2 = self._follow(policy, qf1, qf2)
        self._policy_optimizer = self._make_optimizer("Policy", policy_optimizer, policy_lr, policy)
        self._qf_optimizer = self._make_optimizer("Critic", qf_optimizer, qf_lr, qf1, qf2)
        self._target_update_tau = target_update_tau
        self._update_actor_interval = update_actor_interval
        self._policy_noise = policy_noise
        self._policy_noise_clip = policy_noise_clip
        self._rng = seeding.stream("TD3")

    def _noise(self, batch_size: int) -> np.ndarray:
        """Draw standard normal numbers, shape (B, K), for target actions."""
        return self._rng.standard_normal((batch_size, self._env_spec.action_dim), np.float32)

    @property
    def _moves_policy(self) -> bool:
        """Whether the gradient step under way moves the policy, and all targets."""
        return (self._gradient_steps + 1) % self._update_actor_interval == 0
