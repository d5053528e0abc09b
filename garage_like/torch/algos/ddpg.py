"""DDPG: deep deterministic policy gradient."""

from __future__ import annotations

import math
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
    values_of,
    weighted_mean,
)
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerSpec
from garage_like.torch.policies.deterministic_mlp_policy import DeterministicMLPPolicy


class DDPG(TorchOffPolicyAlgorithm):
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
        policy: DeterministicMLPPolicy,
        qf: nn.Module,
        replay_buffer: PathBuffer,
        sampler: Sampler | None = None,
        *,
        exploration_policy: Any = None,
        target_update_tau: float = 0.01,
        policy_lr: LearningRate = 1e-4,
        qf_lr: LearningRate = 1e-3,
        policy_optimizer: OptimizerSpec = torch.optim.Adam,
        qf_optimizer: OptimizerSpec = torch.optim.Adam,
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
        self._policy_params = list(policy.parameters())
        self._target_update_tau = target_update_tau
        self._target_range = (-clip_return, 0.0 if clip_pos_returns else clip_return)

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        with torch.no_grad():
            next_actions = self._target_policy(batch.next_observations)
            next_values = values_of(self._target_qf, batch.next_observations, next_actions)
            targets = batch.rewards + self._discount * batch.continues * next_values
            targets.clamp_(*self._target_range)

        values = values_of(self._qf, batch.observations, batch.actions)
        qf_loss = weighted_mean((targets - values).square(), batch.weights)
        self._qf_optimizer.zero_grad()
        qf_loss.backward()
        self._qf_optimizer.step()

        policy_loss = -values_of(
            self._qf, batch.observations, self.policy(batch.observations)
        ).mean()
        self._policy_optimizer.zero_grad()
        # Only the policy's gradients are formed, though they come by way of the Q-function.
        policy_loss.backward(inputs=self._policy_params)
        self._policy_optimizer.step()

        self._targets.update(self._target_update_tau)
        values = values.detach()
        metrics = {
            "Loss/Policy": policy_loss.item(),
            "Loss/Critic": qf_loss.item(),
            "Q-network/Q1": values.mean().item(),
            "Target/Mean": targets.mean().item(),
        }
        return metrics, (targets - values).cpu().numpy()
