"""Which on-policy losses have a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from garage_like.np.compiled.network import CompiledMLP
from garage_like.torch.distributions import Categorical, DiagonalGaussian
from garage_like.torch.kernels.compiled.on_policy import Update
from garage_like.torch.kernels.dense import Dense, is_plain
from garage_like.torch.kernels.policy_gradient import (
    CategoricalHead,
    GaussianHead,
    Head,
    PolicyGradient,
    ValueGradient,
)
from garage_like.torch.modules.mlp import MLP
from garage_like.torch.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.torch.policies.gaussian_mlp_policy import GaussianMLPPolicy

if TYPE_CHECKING:
    from garage_like.torch.optimizers.flat_adam import FlatAdam
    from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
    from garage_like.torch.policies.stochastic_policy import StochasticPolicy

MANY = 4096
"""Rows from which on it pays to do without torch, in NumPy."""

_PIECE = 2048


def policy_gradient(
    policy: StochasticPolicy,
    optimizer: OptimizerWrapper,
    clip_range: float | None,
    entropy_coefficient: float,
) -> PolicyGradient | None:
    """Return what differentiates the loss of VPG or PPO; None if autograd must.

    Args:
        policy: what is trained.
        optimizer: moves its parameters.
        clip_range: of PPO's likelihood ratios; None for VPG.
        entropy_coefficient: weight of the entropy in the objective.
    """
    kind = type(policy)
    if kind is not CategoricalMLPPolicy and kind is not GaussianMLPPolicy:
        return None
    assert isinstance(policy, CategoricalMLPPolicy | GaussianMLPPolicy)
    flat = _flat(policy, optimizer)
    if flat is None or not is_plain(policy, policy.mlp):
        return None
    head: Head | None = CategoricalHead()
    if isinstance(policy, GaussianMLPPolicy):
        head = _gaussian_head(policy, flat)
    if head is None:
        return None
    network = Dense(policy.mlp, flat.gradient_of)
    gradient = PolicyGradient(network, head, clip_range, entropy_coefficient)
    gradient.whole = Update(gradient, flat) if optimizer.is_compiled else None
    return gradient


def value_gradient(value_function: Any, optimizer: OptimizerWrapper) -> ValueGradient | None:
    """Return what differentiates the loss of a value function; None if autograd must.

    Args:
        value_function: has `mlp` and `log_std`, as a GaussianMLPValueFunction, no subclass.
        optimizer: moves its parameters.
    """
    flat = _flat(value_function, optimizer)
    if flat is None or not is_plain(value_function, value_function.mlp):
        return None
    log_std = value_function.log_std
    gradient = flat.gradient_of(log_std) if isinstance(log_std, torch.nn.Parameter) else None
    found = ValueGradient(Dense(value_function.mlp, flat.gradient_of), log_std, gradient)
    found.whole = Update(found, flat) if optimizer.is_compiled else None
    return found


def distribution_of_many(
    policy: StochasticPolicy, observations: torch.Tensor
) -> Categorical | DiagonalGaussian | None:
    """Return what a policy does on many observations, without autograd; None if torch must."""
    kind = type(policy)
    if kind is not CategoricalMLPPolicy and kind is not GaussianMLPPolicy:
        return None
    assert isinstance(policy, CategoricalMLPPolicy | GaussianMLPPolicy)
    outputs = outputs_of_many(policy, policy.mlp, observations)
    if outputs is None:
        return None
    if isinstance(policy, GaussianMLPPolicy):
        return DiagonalGaussian(outputs, policy.log_std)
    return Categorical(outputs)


def outputs_of_many(
    module: torch.nn.Module, network: MLP, rows: torch.Tensor
) -> torch.Tensor | None:
    """Return what a perceptron makes of many rows, without autograd; None if torch must.

    In C, whatever their number; or in NumPy, whose tanh takes a twentieth of torch's time, a piece
    at a time: what a layer gives is still near then when the next one takes it.

    Args:
        module: of one of the framework's own classes, which merely calls `network`.
        network: its perceptron.
        rows: shape (N, inputs), float32.
    """
    if "forward" in vars(module) or not is_plain(module, network):
        return None
    if rows.device.type != "cpu" or rows.dtype != torch.float32:
        return None
    form = network.to_numpy()
    if isinstance(form, CompiledMLP):
        return torch.from_numpy(form(rows.numpy()))
    if len(rows) < MANY:
        return None
    dense, x = Dense(network), rows.numpy()
    outputs = np.empty((len(x), network.output.out_features), np.float32)
    for start in range(0, len(x), _PIECE):
        piece = dense.forward(x[start : start + _PIECE])
        outputs[start : start + _PIECE] = piece
    return torch.from_numpy(outputs)


def _flat(module: torch.nn.Module, optimizer: OptimizerWrapper) -> FlatAdam | None:
    """Return the flat optimizer if it moves the parameters of a module, and no others."""
    if not optimizer.fast_path or vars(module).keys() & {"forward", "compute_loss"}:
        return None
    flat = optimizer.flat_adam()
    if flat is None or not flat.moves(module.parameters()):
        return None
    return flat


def _gaussian_head(policy: GaussianMLPPolicy, flat: FlatAdam) -> GaussianHead | None:
    limits = policy.log_std_limits
    if limits is None:
        return None
    parameter = policy.std_parameter
    gradient = (
        flat.gradient_of(parameter).numpy() if isinstance(parameter, torch.nn.Parameter) else None
    )
    return GaussianHead(parameter.detach().numpy(), gradient, *limits)
