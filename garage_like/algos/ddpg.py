"""The half of DDPG that needs no framework: what it is told, and which networks there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Generic, TypeVar, Unpack

from garage_like.algos.learning_networks import OptimizerSpec, check_tau
from garage_like.algos.off_policy import OffPolicyAlgorithm, OffPolicyKeywords, metrics_of
from garage_like.algos.schedules import LearningRate
from garage_like.interfaces import Policy

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Sampler
    from garage_like.replay_buffer import PathBuffer

PolicyType = TypeVar("PolicyType", bound=Policy)
QFunction = TypeVar("QFunction")


class DeterministicPolicyGradient(OffPolicyAlgorithm, Generic[PolicyType, QFunction]):
    """Follow the gradient of a Q-function with respect to the action.

    Lillicrap et al. 2016, arXiv:1509.02971.

    Args:
        qf: values observations and actions.
        target_update_tau: how far the targets move to the online networks at each gradient step.
        policy_lr: learning rate, a number or a Schedule.
        qf_lr: learning rate, a number or a Schedule.
        policy_optimizer: a class, or a pair of it and its keyword arguments; None for Adam.
        qf_optimizer: as policy_optimizer.
        clip_pos_returns: no target is above 0.
        clip_return: no target is further from 0.

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
        policy: PolicyType,
        qf: QFunction,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        target_update_tau: float = 0.01,
        policy_lr: LearningRate = 1e-4,
        qf_lr: LearningRate = 1e-3,
        policy_optimizer: OptimizerSpec | None = None,
        qf_optimizer: OptimizerSpec | None = None,
        clip_pos_returns: bool = False,
        clip_return: float = math.inf,
        **options: Unpack[OffPolicyKeywords],
    ) -> None:
        check_tau("DDPG", target_update_tau)
        if not clip_return > 0.0:
            raise ValueError(f"DDPG: clip_return must be positive, got {clip_return!r}")
        # Garage's names among the options are translated by now.
        super().__init__(env_spec, policy, replay_buffer, sampler, **options)  # type: ignore[misc]
        self._qf = qf
        self._target_policy, self._target_qf = self._follow(policy, qf)
        self._policy_optimizer = self._make_optimizer("Policy", policy_optimizer, policy_lr, policy)
        self._qf_optimizer = self._make_optimizer("Critic", qf_optimizer, qf_lr, qf)
        self._target_update_tau = target_update_tau
        self._target_range = (-clip_return, 0.0 if clip_pos_returns else clip_return)
