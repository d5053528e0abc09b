"""GaussianMLPPolicy: continuous actions, normally distributed around a mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from gymnasium import spaces
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import GaussianActor
from garage_like.torch.distributions import DiagonalGaussian
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.policies.policy import TorchNetwork
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class GaussianMLPPolicy(StochasticPolicy):
    """Draw actions around the mean that a multi-layer perceptron gives.

    The standard deviations do not depend on the observation. Actions are not clipped: the
    environment's bounds are the environment's affair.

    Args:
        env_spec: its action space is a Box.
        output_nonlinearity: applied to the mean.
        learn_std: whether the standard deviations are parameters.
        init_std: what they start at.
        min_std: what they cannot fall below; None for no limit.
        max_std: what they cannot rise above; None for no limit.
        std_parameterization: the parameter p gives exp(p) or softplus(p) = log(1 + exp(p)).

    Raises:
        ValueError: if the action space is no Box, or the standard deviations are contradictory.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = torch.tanh,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        learn_std: bool = True,
        init_std: float = 1.0,
        min_std: float | None = 1e-6,
        max_std: float | None = None,
        std_parameterization: Literal["exp", "softplus"] = "exp",
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        space = env_spec.action_space
        if not isinstance(space, spaces.Box):
            raise ValueError(
                f"GaussianMLPPolicy needs a Box action space, got {space!r}; for a Discrete one "
                "there is CategoricalMLPPolicy"
            )
        if std_parameterization not in ("exp", "softplus"):
            raise ValueError(
                "GaussianMLPPolicy: std_parameterization must be 'exp' or 'softplus', "
                f"got {std_parameterization!r}"
            )
        least = math.ulp(0.0) if min_std is None else min_std
        if not 0.0 < least <= init_std <= (math.inf if max_std is None else max_std):
            raise ValueError(
                "GaussianMLPPolicy: expected 0 < min_std <= init_std <= max_std, "
                f"got {min_std!r}, {init_std!r}, {max_std!r}"
            )
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim, *hidden, *output)
        self._softplus = std_parameterization == "softplus"
        self._min_log_std = -math.inf if min_std is None else math.log(min_std)
        self._max_log_std = None if max_std is None else math.log(max_std)
        start = math.log(math.expm1(init_std)) if self._softplus else math.log(init_std)
        std = torch.full((env_spec.action_dim,), start)
        self.std_parameter: torch.Tensor
        if learn_std:
            self.std_parameter = nn.Parameter(std)
        else:
            self.register_buffer("std_parameter", std)

    @property
    def log_std(self) -> torch.Tensor:
        """Logarithm of the standard deviations, shape (K,), within the limits."""
        log_std = self.std_parameter
        if self._softplus:
            log_std = nn.functional.softplus(log_std).log()
        return log_std.clamp(self._min_log_std, self._max_log_std)

    @property
    def log_std_limits(self) -> tuple[float, float | None] | None:
        """What `std_parameter` is clamped to as a logarithm; None if it is none."""
        return None if self._softplus else (self._min_log_std, self._max_log_std)

    def forward(
        self, observations: torch.Tensor
    ) -> tuple[DiagonalGaussian, dict[str, torch.Tensor]]:
        mean = self.mlp(observations)
        log_std = self.log_std
        return DiagonalGaussian(mean, log_std), {"mean": mean, "log_std": log_std}

    def actor(self) -> GaussianActor:
        """Return a NumPy actor on the current weights; its infos: mean, log_std, shape (N, K)."""
        network = self.mlp.to_numpy() or TorchNetwork(self.mlp)
        log_std = self.log_std.detach().cpu().numpy()
        space = self._env_spec.observation_space
        shape = self._env_spec.action_space.shape
        assert shape is not None
        return GaussianActor(network, log_std, space, shape)
