"""TorchOffPolicyAlgorithm: what off-policy algorithms in torch have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from garage_like.algos.off_policy import OffPolicyAlgorithm
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.algos.minibatch import Minibatch, make_minibatch
from garage_like.torch.algos.target_networks import TargetNetworks, target_of
from garage_like.torch.algos.temperature import Temperature
from garage_like.torch.devices import Movable
from garage_like.torch.kernels.off_policy import Kernel, kernel_of
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.deterministic_recurrent_policy import DeterministicRecurrentPolicy
from garage_like.torch.policies.policy import Policy


class TorchOffPolicyAlgorithm(Movable, OffPolicyAlgorithm):
    """Turn transitions into tensors, and take gradient steps."""

    kernel_settings: tuple[str, ...] = ("_discount", "_reward_scale")

    policy: Policy

    _default_optimizer = torch.optim.Adam

    def _new_optimizer(
        self,
        name: str,
        cls: type[torch.optim.Optimizer],
        keywords: Mapping[str, Any],
        rate: float,
        networks: Sequence[nn.Module],
    ) -> OptimizerWrapper:
        return OptimizerWrapper((cls, {**keywords, "lr": rate}), nn.ModuleList(networks))

    @property
    def networks(self) -> list[nn.Module]:
        """The policy, the Q-functions and their targets."""
        parts = {id(part): part for part in vars(self).values() if isinstance(part, nn.Module)}
        return [part for part in parts.values() if not isinstance(part, Temperature)]

    def _follow(self, *networks: nn.Module) -> list[nn.Module]:
        targets = [target_of(network) for network in networks]
        self._targets = TargetNetworks(*zip(targets, networks, strict=True))
        return targets

    @staticmethod
    def _set_rate(optimizer: OptimizerWrapper, rate: float) -> None:
        for group in optimizer.optimizer.param_groups:
            group["lr"] = rate

    @staticmethod
    def _rate(optimizer: OptimizerWrapper) -> float:
        return float(optimizer.optimizer.param_groups[0]["lr"])

    def _move(self, name: str, loss: torch.Tensor, max_norm: float | None = None) -> None:
        """Take one step of an optimizer.

        Args:
            name: of the optimizer.
            loss: a scalar.
            max_norm: that gradients are cut to, all together; None for none.
        """
        optimizer: OptimizerWrapper = self._optimizers()[name]
        groups = optimizer.optimizer.param_groups
        parameters = [p for group in groups for p in group["params"] if p.requires_grad]
        optimizer.zero_grad()
        # No others' gradients are formed, though the policy's come by way of the Q-function.
        loss.backward(inputs=parameters)
        if max_norm is not None:
            nn.utils.clip_grad_norm_(parameters, max_norm)
        optimizer.step()

    def _finish_epoch(self) -> None:
        # They are made again at the next step: a snapshot need not hold them.
        for optimizer in self._optimizers().values():
            optimizer.forget_gradients()

    def _take_gradient_step(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        kernel = kernel_of(self)
        if kernel is None:
            return self._update(transitions)
        return kernel.update(self, transitions)

    def make_kernel(self) -> Kernel | None:
        """Return what takes gradient steps without autograd; None if nothing can."""
        return None

    def _policy_inputs(self, transitions: Transitions, batch: Minibatch) -> tuple[Any, Any]:
        """Return what the policy acts on before and after each transition of a minibatch."""
        if "history_steps" not in transitions:
            return batch.observations, batch.next_observations
        policy = cast("DeterministicRecurrentPolicy", self.policy)
        return policy.histories(transitions)

    def _minibatch(self, transitions: Transitions) -> Minibatch:
        """Return transitions as tensors where the policy is."""
        device = next(self.policy.parameters()).device
        return make_minibatch(transitions, self._env_spec, self._reward_scale, device)


def weighted_mean(values: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Average values, shape (B,), by weights, shape (B,), if there are any."""
    return values.mean() if weights is None else (values * weights).mean()


def values_of(qf: nn.Module, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """Return values, shape (B,), of a Q-function that gives them as (B, 1) or as (B,).

    Those of either shape are written; beside rewards of shape (B,), one of the two would be
    broadcast to (B, B) without a word.
    """
    values: torch.Tensor = qf(observations, actions)
    return values.reshape(len(observations))
