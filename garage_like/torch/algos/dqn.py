"""DQN: deep Q-learning."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from garage_like.algos.dqn import DeepQLearning
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.algos.torch_off_policy import TorchOffPolicyAlgorithm, weighted_mean
from garage_like.torch.kernels.off_policy import Kernel, is_unchanged
from garage_like.torch.kernels.q_learning import QLearningKernel, QLearningOptions
from garage_like.torch.policies.discrete_qf_argmax_policy import DiscreteQFArgmaxPolicy


class DQN(DeepQLearning[DiscreteQFArgmaxPolicy, nn.Module], TorchOffPolicyAlgorithm):
    """Learn what each action is worth, and take the best."""

    kernel_settings = (
        *TorchOffPolicyAlgorithm.kernel_settings,
        "_double_q",
        "_clip_rewards",
        "_clip_gradient",
    )

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
        self._move("Critic", loss, self._clip_gradient)

        values = values.detach()
        metrics = {
            "Loss/Critic": loss.item(),
            "Q-network/Q1": values.mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        return metrics, (targets - values).cpu().numpy()

    def make_kernel(self) -> Kernel | None:
        """Return an analytic gradient step where the Q-function is a plain perceptron."""
        if not is_unchanged(self, DQN, "_update", "_minibatch", "_move"):
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
