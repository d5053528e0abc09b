"""SAC: soft actor-critic."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.algos.minibatch import Minibatch
from garage_like.torch.algos.soft_actor_critic import COMPUTED, SoftActorCritic, SoftOptions
from garage_like.torch.algos.target_networks import target_of
from garage_like.torch.algos.torch_off_policy import values_of, weighted_mean
from garage_like.torch.kernels.off_policy import Kernel, is_unchanged
from garage_like.torch.kernels.soft_actor_critic import SACKernel
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy


class SAC(SoftActorCritic):
    """Earn reward while acting as randomly as possible; trust the less hopeful of two Q-functions.

    Haarnoja et al. 2018, arXiv:1812.05905, with a learned temperature, or a fixed one.

    Args:
        qf1: values observations and actions.
        qf2: another one.
        **options: arguments of SoftActorCritic (fixed_alpha, target_entropy, policy_lr, ...) and
            of OffPolicyAlgorithm (buffer_batch_size, discount, steps_per_epoch, ...).

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: TanhGaussianMLPPolicy,
        qf1: nn.Module,
        qf2: nn.Module,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        **options: Unpack[SoftOptions],
    ) -> None:
        self._qf1, self._qf2 = qf1, qf2
        self._target_qf1, self._target_qf2 = target_of(qf1), target_of(qf2)
        critics = [(self._target_qf1, qf1), (self._target_qf2, qf2)]
        super().__init__(env_spec, policy, critics, replay_buffer, sampler, **options)

    def _update_critics(
        self, batch: Minibatch, alpha: torch.Tensor
    ) -> tuple[dict[str, float], np.ndarray]:
        with torch.no_grad():
            next_actions, next_log_probs = self._sample(batch.next_observations)
            next_values = torch.minimum(
                values_of(self._target_qf1, batch.next_observations, next_actions),
                values_of(self._target_qf2, batch.next_observations, next_actions),
            )
            soft_values = next_values - alpha * next_log_probs
            targets = batch.rewards + self._discount * batch.continues * soft_values

        values1 = values_of(self._qf1, batch.observations, batch.actions)
        values2 = values_of(self._qf2, batch.observations, batch.actions)
        squares = 0.5 * ((targets - values1).square() + (targets - values2).square())
        loss = weighted_mean(squares, batch.weights)
        self._move("Critic", loss)
        metrics = {
            "Loss/Critic": loss.item(),
            "Q-network/Q1": values1.detach().mean().item(),
            "Q-network/Q2": values2.detach().mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        return metrics, squares.detach().sqrt().cpu().numpy()

    def make_kernel(self) -> Kernel | None:
        """Return an analytic gradient step where all networks are plain perceptrons."""
        if not is_unchanged(self, SAC, *COMPUTED):
            return None
        parts = self._soft_parts((self._qf1, self._qf2), (self._target_qf1, self._target_qf2))
        return SACKernel.make(self._env_spec, self._reward_scale, self._rng, parts)

    def _values(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return torch.minimum(
            values_of(self._qf1, observations, actions), values_of(self._qf2, observations, actions)
        )
