"""TD3: twin delayed deep deterministic policy gradient."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from garage_like.algos.td3 import TwinDelayedPolicyGradient
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


class TD3(TwinDelayedPolicyGradient[BoundedPolicy, nn.Module], TorchOffPolicyAlgorithm):
    """Trust the less hopeful of two Q-functions, smooth its targets, and move the policy later."""

    kernel_settings = (
        *TorchOffPolicyAlgorithm.kernel_settings,
        "_target_update_tau",
        "_policy_noise",
        "_policy_noise_clip",
    )

    policy: BoundedPolicy

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        seen, next_seen = self._policy_inputs(transitions, batch)
        with torch.no_grad():
            next_actions = self._smoothed_actions(next_seen)
            next_values = torch.minimum(
                values_of(self._target_qf1, batch.next_observations, next_actions),
                values_of(self._target_qf2, batch.next_observations, next_actions),
            )
            targets = batch.rewards + self._discount * batch.continues * next_values

        values1 = values_of(self._qf1, batch.observations, batch.actions)
        values2 = values_of(self._qf2, batch.observations, batch.actions)
        errors = (targets - values1).square() + (targets - values2).square()
        qf_loss = weighted_mean(errors, batch.weights)
        self._move("Critic", qf_loss)

        metrics = {
            "Loss/Critic": qf_loss.item(),
            "Q-network/Q1": values1.detach().mean().item(),
            "Q-network/Q2": values2.detach().mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        if self._moves_policy:
            policy_loss = -values_of(self._qf1, batch.observations, self.policy(seen)).mean()
            self._move("Policy", policy_loss)
            self._targets.update(self._target_update_tau)
            metrics["Loss/Policy"] = policy_loss.item()
        return metrics, (0.5 * errors.detach()).sqrt().cpu().numpy()

    def make_kernel(self) -> Kernel | None:
        """Return analytic gradient steps where all networks are plain perceptrons."""
        if not is_unchanged(
            self, TD3, "_update", "_minibatch", "_move", "_smoothed_actions", "_moves_policy"
        ):
            return None
        parts = DeterministicParts(
            self.policy,
            self._target_policy,
            (self._qf1, self._qf2),
            (self._target_qf1, self._target_qf2),
            self._policy_optimizer,
            self._qf_optimizer,
            self._targets,
            self._target_update_tau,
            self._discount,
            noise=self._policy_noise,
            noise_clip=self._policy_noise_clip,
        )
        return DeterministicKernel.make(self._env_spec, self._reward_scale, parts)

    def _smoothed_actions(self, seen: torch.Tensor) -> torch.Tensor:
        """Return the target policy's actions, shape (B, K), with clipped noise, within bounds."""
        actions = self._target_policy(seen)
        centre, scale = self.policy.action_centre, self.policy.action_scale
        noise = torch.from_numpy(self._noise(len(actions))).to(actions.device)
        limit = self._policy_noise_clip
        noise = (noise * self._policy_noise).clamp(-limit, limit) * scale
        return torch.minimum(torch.maximum(actions + noise, centre - scale), centre + scale)
