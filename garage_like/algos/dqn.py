"""The half of DQN that needs no framework: what it is told, and when its target moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, Unpack

from garage_like.algos.learning_networks import OptimizerSpec, check_tau
from garage_like.algos.off_policy import OffPolicyAlgorithm, OffPolicyKeywords, metrics_of
from garage_like.algos.schedules import LearningRate
from garage_like.configuration.garage_arguments import DQNNames
from garage_like.interfaces import Policy

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Sampler
    from garage_like.replay_buffer import PathBuffer

PolicyType = TypeVar("PolicyType", bound=Policy)
QFunction = TypeVar("QFunction")


class DQNKeywords(OffPolicyKeywords, DQNNames, total=False):
    """What DQN hands up."""


class DeepQLearning(OffPolicyAlgorithm, Generic[PolicyType, QFunction]):
    """Learn what each action is worth, and take the best.

    Mnih et al. 2015, doi:10.1038/nature14236; double Q-learning by van Hasselt et al. 2016,
    arXiv:1509.06461. Duelling networks are an option of the Q-function, prioritized replay is a
    PrioritizedReplayBuffer. Differs from the paper: Adam instead of RMSProp.

    Args:
        policy: takes the best action by `qf`.
        qf: what is trained; maps flat observations, shape (N, D), to values, shape (N, K).
        double_q: let the online network choose the next action and the target value it.
        qf_optimizer: a class, or a pair of it and its keyword arguments; None for Adam.
        qf_lr: learning rate, a number or a Schedule.
        clip_rewards: rewards beyond are cut to -clip_rewards and clip_rewards; None for none.
        clip_gradient: norm that gradients are cut to; None for none.
        target_update_freq: batches collected between two updates of the target.
        target_update_tau: how far an update moves the target to the online network; 1 copies.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    UPDATE_METRICS = ("Loss/Critic", "Q-network/Q1", "Target/Mean")
    METRICS = metrics_of(UPDATE_METRICS, "Learning/CriticLearningRate")

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: PolicyType,
        qf: QFunction,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        double_q: bool = True,
        qf_optimizer: OptimizerSpec | None = None,
        qf_lr: LearningRate = 1e-3,
        clip_rewards: float | None = None,
        clip_gradient: float | None = 10.0,
        target_update_freq: int = 5,
        target_update_tau: float = 1.0,
        **options: Unpack[DQNKeywords],
    ) -> None:
        for name, limit in (("clip_rewards", clip_rewards), ("clip_gradient", clip_gradient)):
            if limit is not None and not limit > 0.0:
                raise ValueError(f"DQN: {name} must be positive or None, got {limit!r}")
        if target_update_freq < 1:
            raise ValueError(
                f"DQN: target_update_freq must be at least 1, got {target_update_freq!r}"
            )
        check_tau("DQN", target_update_tau)
        # Garage's names among the options are translated by now.
        super().__init__(env_spec, policy, replay_buffer, sampler, **options)  # type: ignore[misc]
        self._qf = qf
        (self._target_qf,) = self._follow(qf)
        self._qf_optimizer = self._make_optimizer("Critic", qf_optimizer, qf_lr, qf)
        self._double_q = double_q
        self._clip_rewards = clip_rewards
        self._clip_gradient = clip_gradient
        self._target_update_freq = target_update_freq
        self._target_update_tau = target_update_tau
        self._num_itrs = 0

    def _finish_itr(self) -> None:
        self._num_itrs += 1
        if self._num_itrs % self._target_update_freq == 0:
            self._targets.update(self._target_update_tau)
