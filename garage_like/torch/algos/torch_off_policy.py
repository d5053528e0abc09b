"""TorchOffPolicyAlgorithm: what off-policy algorithms in torch have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from garage_like.algos.off_policy import OffPolicyAlgorithm
from garage_like.algos.schedules import Schedule, as_schedule
from garage_like.interfaces import Metrics
from garage_like.replay_buffer.transitions import Transitions
from garage_like.torch.algos.minibatch import Minibatch, make_minibatch
from garage_like.torch.devices import Movable
from garage_like.torch.kernels.off_policy import Kernel, kernel_of
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerSpec, OptimizerWrapper
from garage_like.torch.policies.policy import Policy

LearningRate = float | Schedule
"""A number, or one that changes with the env steps taken so far."""

# Snapshots name optimizers by these attributes.
_ATTRIBUTES = {
    "Policy": "_policy_optimizer",
    "Critic": "_qf_optimizer",
    "Entropy": "_alpha_optimizer",
}


class TorchOffPolicyAlgorithm(Movable, OffPolicyAlgorithm):
    """Turn transitions into tensors, and let learning rates follow their schedules."""

    policy: Policy

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rates: dict[str, Schedule] = {}

    def _make_optimizer(
        self, name: str, optimizer: OptimizerSpec, learning_rate: LearningRate, *modules: nn.Module
    ) -> OptimizerWrapper:
        """Return one optimizer for all weights of some modules.

        Args:
            name: `Policy`, `Critic` or `Entropy`, for `Learning/PolicyLearningRate`; the optimizer
                must become the attribute that goes with it.
            optimizer: a class, or a pair of it and its keyword arguments.
            learning_rate: a number or a Schedule; `lr` among the keyword arguments comes first.
            *modules: whose weights it moves.
        """
        owner = type(self).__name__
        cls, keywords = optimizer if isinstance(optimizer, tuple) else (optimizer, {})
        if not isinstance(keywords, Mapping):
            raise ValueError(
                f"{owner}: an optimizer must be a class, or a pair of it and a dict of its keyword "
                f"arguments; got {optimizer!r}"
            )
        learning_rate = keywords.get("lr", learning_rate)
        schedule = as_schedule(owner, f"the learning rate of {name}", learning_rate)
        wrapper = OptimizerWrapper(
            (cls, {**keywords, "lr": schedule.value(0)}), nn.ModuleList(modules)
        )
        self._rates[name] = schedule
        return wrapper

    def _optimizers(self) -> dict[str, OptimizerWrapper]:
        """Return the optimizers by what they move."""
        return {name: getattr(self, _ATTRIBUTES[name]) for name in self._rates}

    def _set_learning_rates(self, env_steps: int) -> None:
        for name, wrapper in self._optimizers().items():
            for group in wrapper.optimizer.param_groups:
                group["lr"] = self._rates[name].value(env_steps)

    def _learning_rates(self) -> dict[str, float]:
        return {
            f"Learning/{name}LearningRate": float(wrapper.optimizer.param_groups[0]["lr"])
            for name, wrapper in self._optimizers().items()
        }

    def _finish_epoch(self) -> None:
        # They are made anew at the next step: a snapshot need not hold them.
        for wrapper in self._optimizers().values():
            wrapper.forget_gradients()

    def _take_gradient_step(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        kernel = kernel_of(self)
        if kernel is None:
            return self._update(transitions)
        return kernel.update(self, transitions)

    def make_kernel(self) -> Kernel | None:
        """Return what takes gradient steps without autograd; None if nothing can."""
        return None

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
