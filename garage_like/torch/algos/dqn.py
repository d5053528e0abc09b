"""DQN: deep Q-learning."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import torch
from torch import nn

from garage_like.algos.off_policy import OffPolicyOptions, metrics_of
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Metrics, Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.algos.target_networks import TargetNetworks, check_tau, target_of
from garage_like.torch.algos.torch_off_policy import (
    LearningRate,
    TorchOffPolicyAlgorithm,
    weighted_mean,
)
from garage_like.torch.kernels.off_policy import Kernel, is_unchanged
from garage_like.torch.kernels.q_learning import QLearningKernel, QLearningOptions
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerSpec
from garage_like.torch.policies.discrete_qf_argmax_policy import DiscreteQFArgmaxPolicy


class DQN(TorchOffPolicyAlgorithm):
    """Learn what each action is worth, and take the best.

    Mnih et al. 2015, doi:10.1038/nature14236; double Q-learning by van Hasselt et al. 2016,
    arXiv:1509.06461. Duelling networks are an option of the Q-function, prioritized replay is a
    PrioritizedReplayBuffer. Differs from the paper: Adam instead of RMSProp.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: takes the best action by `qf`.
        qf: what is trained; maps flat observations, shape (N, D), to values, shape (N, K).
        replay_buffer: a PathBuffer of any kind.
        sampler: where the trainer gets transitions; None for one environment, mid-episode on.
        exploration_policy: acts while collecting, such as EpsilonGreedyPolicy; None for `policy`.
        double_q: let the online network choose the next action and the target value it.
        qf_optimizer: a class, or a pair of it and its keyword arguments.
        qf_lr: learning rate, a number or a Schedule.
        clip_rewards: rewards beyond are cut to -clip_rewards and clip_rewards; None for none.
        clip_gradient: norm that gradients are cut to; None for none.
        target_update_freq: batches collected between two updates of the target.
        target_update_tau: how far an update moves the target to the online network; 1 copies.
        n_train_steps: garage's name for gradient_steps_per_itr.
        **options: arguments of OffPolicyAlgorithm.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    UPDATE_METRICS = ("Loss/Critic", "Q-network/Q1", "Target/Mean")
    METRICS = metrics_of(UPDATE_METRICS, "Learning/CriticLearningRate")

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: DiscreteQFArgmaxPolicy,
        qf: nn.Module,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        exploration_policy: Any = None,
        double_q: bool = True,
        qf_optimizer: OptimizerSpec = torch.optim.Adam,
        qf_lr: LearningRate = 1e-3,
        clip_rewards: float | None = None,
        clip_gradient: float | None = 10.0,
        target_update_freq: int = 5,
        target_update_tau: float = 1.0,
        n_train_steps: int | None = None,
        **options: Unpack[OffPolicyOptions],
    ) -> None:
        for name, limit in (("clip_rewards", clip_rewards), ("clip_gradient", clip_gradient)):
            if limit is not None and not limit > 0.0:
                raise ValueError(f"DQN: {name} must be positive or None, got {limit!r}")
        if target_update_freq < 1:
            raise ValueError(
                f"DQN: target_update_freq must be at least 1, got {target_update_freq!r}"
            )
        check_tau("DQN", target_update_tau)
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
        self._target_qf = target_of(qf)
        self._targets = TargetNetworks((self._target_qf, qf))
        self._qf_optimizer = self._make_optimizer("Critic", qf_optimizer, qf_lr, qf)
        self._qf_params = list(qf.parameters())
        self._double_q = double_q
        self._clip_rewards = clip_rewards
        self._clip_gradient = clip_gradient
        self._target_update_freq = target_update_freq
        self._target_update_tau = target_update_tau
        self._num_itrs = 0

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        rewards = batch.rewards
        if self._clip_rewards is not None:
            rewards = rewards.clamp(-self._clip_rewards, self._clip_rewards)
        with torch.no_grad():
            next_values = self._target_qf(batch.next_observations)
            chooser = self._qf(batch.next_observations) if self._double_q else next_values
            best = chooser.argmax(dim=1, keepdim=True)
            next_value = next_values.gather(1, best).squeeze(1)
            targets = rewards + self._discount * batch.continues * next_value

        values = self._qf(batch.observations).gather(1, batch.actions.unsqueeze(1)).squeeze(1)
        losses = nn.functional.smooth_l1_loss(values, targets, reduction="none")
        loss = weighted_mean(losses, batch.weights)

        self._qf_optimizer.zero_grad()
        loss.backward()
        if self._clip_gradient is not None:
            nn.utils.clip_grad_norm_(self._qf_params, self._clip_gradient)
        self._qf_optimizer.step()

        values = values.detach()
        metrics = {
            "Loss/Critic": loss.item(),
            "Q-network/Q1": values.mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        return metrics, (targets - values).cpu().numpy()

    def make_kernel(self) -> Kernel | None:
        """Return an analytic gradient step where the Q-function is a plain perceptron."""
        if not is_unchanged(self, DQN, "_update", "_minibatch"):
            return None
        return QLearningKernel.make(
            self._env_spec,
            self._reward_scale,
            self._qf,
            self._target_qf,
            self._qf_optimizer,
            QLearningOptions(
                self._discount, self._double_q, self._clip_rewards, self._clip_gradient
            ),
        )

    def _finish_itr(self) -> None:
        self._num_itrs += 1
        if self._num_itrs % self._target_update_freq == 0:
            self._targets.update(self._target_update_tau)
