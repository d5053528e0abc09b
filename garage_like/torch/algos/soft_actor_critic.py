"""SoftActorCritic: the half of SAC and TQC that does not depend on the kind of Q-function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import torch
from torch import nn

from garage_like import seeding
from garage_like.algos.learning_networks import OptimizerSpec, check_tau
from garage_like.algos.off_policy import OffPolicyKeywords, metrics_of
from garage_like.algos.schedules import LearningRate
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Metrics, Sampler
from garage_like.replay_buffer import PathBuffer
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.algos.minibatch import Minibatch
from garage_like.torch.algos.target_networks import TargetNetworks
from garage_like.torch.algos.temperature import Temperature
from garage_like.torch.algos.torch_off_policy import TorchOffPolicyAlgorithm
from garage_like.torch.kernels.soft_actor_critic import SoftParts


class SoftOptions(OffPolicyKeywords, total=False):
    """Arguments that SAC, MTSAC and TQC take; see SoftActorCritic."""

    fixed_alpha: float | None
    target_entropy: float | None
    initial_log_entropy: float
    target_update_tau: float
    policy_lr: LearningRate
    qf_lr: LearningRate
    optimizer: OptimizerSpec


COMPUTED = (
    "_update",
    "_update_critics",
    "_act",
    "_values",
    "_sample",
    "_log_alpha",
    "_minibatch",
    "_move",
)
"""What kernels compute: a subclass that computes any of it otherwise is left to autograd."""


class SoftActorCritic(TorchOffPolicyAlgorithm):
    """Earn reward while acting as randomly as possible.

    Haarnoja et al. 2018, arXiv:1812.05905. Subclasses have the Q-functions.

    Args:
        critics: each target Q-function with its original.
        fixed_alpha: the temperature; None to learn it.
        target_entropy: what a learned temperature holds the policy's entropy at, in nats; None for
            minus the number of actions, in units of half widths of the action space.
        initial_log_entropy: logarithm of the temperature at the start.
        target_update_tau: how far the targets move to the online networks at each gradient step.
        policy_lr: learning rate of the policy and of the temperature, a number or a Schedule.
        qf_lr: learning rate, a number or a Schedule.
        optimizer: a class, or a pair of it and its keyword arguments.
        **options: arguments of OffPolicyAlgorithm.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    kernel_settings = (
        *TorchOffPolicyAlgorithm.kernel_settings,
        "_target_update_tau",
        "_target_entropy",
    )

    UPDATE_METRICS: tuple[str, ...] = (
        "Loss/Policy",
        "Loss/Critic",
        "Loss/Entropy",
        "Q-network/Q1",
        "Q-network/Q2",
        "Target/Mean",
        "Coefficient/Entropy",
        "policy/Entropy",
    )
    METRICS = metrics_of(
        UPDATE_METRICS, "Learning/PolicyLearningRate", "Learning/CriticLearningRate"
    )

    policy: Any

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Any,
        critics: list[tuple[nn.Module, nn.Module]],
        replay_buffer: PathBuffer,
        sampler: Sampler | None,
        *,
        fixed_alpha: float | None = None,
        target_entropy: float | None = None,
        initial_log_entropy: float = 0.0,
        target_update_tau: float = 5e-3,
        policy_lr: LearningRate = 3e-4,
        qf_lr: LearningRate = 3e-4,
        optimizer: OptimizerSpec = torch.optim.Adam,
        **options: Unpack[OffPolicyKeywords],
    ) -> None:
        owner = type(self).__name__
        check_tau(owner, target_update_tau)
        # Garage's names among the options are translated by now.
        super().__init__(env_spec, policy, replay_buffer, sampler, **options)  # type: ignore[misc]
        self._temperature = Temperature.from_options(
            owner, fixed_alpha, initial_log_entropy, self._num_temperatures()
        )
        self._targets = TargetNetworks(*critics)
        originals = [original for _, original in critics]
        self._policy_optimizer = self._make_optimizer("Policy", optimizer, policy_lr, policy)
        self._qf_optimizer = self._make_optimizer("Critic", optimizer, qf_lr, *originals)
        self._alpha_optimizer = (
            self._make_optimizer("Entropy", optimizer, policy_lr, self._temperature)
            if fixed_alpha is None
            else None
        )
        self._target_entropy = (
            self._default_target_entropy() if target_entropy is None else target_entropy
        )
        self._target_update_tau = target_update_tau
        self._rng = seeding.stream(owner)

    def _num_temperatures(self) -> int:
        """Return how many temperatures there are."""
        return 1

    def _default_target_entropy(self) -> float:
        """Return minus the number of actions, in units of half widths of the action space."""
        scale: torch.Tensor = self.policy.action_scale
        return -float(scale.numel()) + float(scale.log().sum())

    def _log_alpha(self, observations: torch.Tensor) -> torch.Tensor:
        """Return log alpha for observations of shape (B, D): shape (1,) or (B,)."""
        log_alpha: torch.Tensor = self._temperature()
        return log_alpha

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        batch = self._minibatch(transitions)
        alpha = self._log_alpha(batch.observations).detach().exp()
        metrics, errors = self._update_critics(batch, alpha)

        log_probs, values = self._act(batch.observations)
        policy_loss = (alpha * log_probs - values).mean()
        self._move("Policy", policy_loss)

        log_probs = log_probs.detach()
        if self._alpha_optimizer is not None:
            log_alpha = self._log_alpha(batch.observations)
            alpha_loss = -(log_alpha * (log_probs + self._target_entropy)).mean()
            self._move("Entropy", alpha_loss)
            metrics["Loss/Entropy"] = alpha_loss.item()

        self._targets.update(self._target_update_tau)
        metrics["Loss/Policy"] = policy_loss.item()
        metrics["Coefficient/Entropy"] = alpha.mean().item()
        metrics["policy/Entropy"] = -log_probs.mean().item()
        return metrics, errors

    def _soft_parts(self, qfs: Sequence[nn.Module], target_qfs: Sequence[nn.Module]) -> SoftParts:
        """Return what a kernel works on."""
        return SoftParts(
            self.policy,
            qfs,
            target_qfs,
            self._temperature.log_alpha,
            self._policy_optimizer,
            self._qf_optimizer,
            self._alpha_optimizer,
            self._targets,
            self._target_update_tau,
            self._discount,
            self._target_entropy,
        )

    def _update_critics(
        self, batch: Minibatch, alpha: torch.Tensor
    ) -> tuple[dict[str, float], np.ndarray]:
        """Move the Q-functions; return their metrics, and errors, shape (B,)."""
        raise NotImplementedError(f"{type(self).__name__} must implement _update_critics")

    def _act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return log-probabilities and values of what the policy does, both of shape (B,)."""
        actions, log_probs = self._sample(observations)
        return log_probs, self._values(observations, actions)

    def _values(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Return what the policy is to make large, shape (B,), differentiable by actions."""
        raise NotImplementedError(f"{type(self).__name__} must implement _values")

    def _sample(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw actions, shape (B, K), differentiably, with their log-densities, shape (B,)."""
        shape = (len(observations), self._env_spec.action_dim)
        noise = torch.from_numpy(self._rng.standard_normal(shape, np.float32))
        return self.policy(observations)[0].rsample_with_log_prob(noise.to(observations.device))
