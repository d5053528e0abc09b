"""DDPG: deep deterministic policy gradient."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from garage_like.algos.ddpg import DeterministicPolicyGradient
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.algos.torch_off_policy import (
    TorchOffPolicyAlgorithm,
    values_of,
    weighted_mean,
)
from garage_like.torch.kernels.deterministic import DeterministicKernel, DeterministicParts
from garage_like.torch.kernels.off_policy import Kernel, is_unchanged
from garage_like.torch.policies.deterministic_mlp_policy import BoundedPolicy


class DDPG(DeterministicPolicyGradient[BoundedPolicy, nn.Module], TorchOffPolicyAlgorithm):
    """Follow the gradient of a Q-function with respect to the action."""

    kernel_settings = (
        *TorchOffPolicyAlgorithm.kernel_settings,
        "_target_update_tau",
        "_target_range",
    )

    policy: BoundedPolicy

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        seen, next_seen = self._policy_inputs(transitions, batch)
        with torch.no_grad():
            next_actions = self._target_policy(next_seen)
            next_values = values_of(self._target_qf, batch.next_observations, next_actions)
            targets = batch.rewards + self._discount * batch.continues * next_values
            targets.clamp_(*self._target_range)

        values = values_of(self._qf, batch.observations, batch.actions)
        qf_loss = weighted_mean((targets - values).square(), batch.weights)
        self._move("Critic", qf_loss)

        policy_loss = -values_of(self._qf, batch.observations, self.policy(seen)).mean()
        self._move("Policy", policy_loss)

        self._targets.update(self._target_update_tau)
        values = values.detach()
        metrics = {
            "Loss/Policy": policy_loss.item(),
            "Loss/Critic": qf_loss.item(),
            "Q-network/Q1": values.mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        return metrics, (targets - values).cpu().numpy()

    def make_kernel(self) -> Kernel | None:
        """Return analytic gradient steps where both networks are plain perceptrons."""
        if not is_unchanged(self, DDPG, "_update", "_minibatch", "_move"):
            return None
        parts = DeterministicParts(
            self.policy,
            self._target_policy,
            (self._qf,),
            (self._target_qf,),
            self._policy_optimizer,
            self._qf_optimizer,
            self._targets,
            self._target_update_tau,
            self._discount,
            self._target_range,
        )
        return DeterministicKernel.make(self._env_spec, self._reward_scale, parts)
