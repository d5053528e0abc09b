"""Q-functions of an observation and a continuous action: one value, or quantiles of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from garage_like.configuration.configured import Named
from garage_like.data.env_spec import EnvSpec
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity


class ContinuousMLPQFunction(Named, nn.Module):
    """Value an observation and an action together, by a multi-layer perceptron.

    Args:
        env_spec: of the environment to act in.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (256, 256),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__()
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (None, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(
            env_spec.observation_dim + env_spec.action_dim, self.output_dim, *hidden, *output
        )

    @property
    def output_dim(self) -> int:
        """How many numbers come out."""
        return 1

    def forward(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N, 1).

        Args:
            observations: shape (N, D), flat.
            actions: shape (N, K), flat.
        """
        values: torch.Tensor = self.mlp(torch.cat((observations, actions), dim=1))
        return values


class QuantileMLPQFunction(ContinuousMLPQFunction):
    """Give quantiles, shape (N, n_quantiles), of the return that follows observations and actions.

    Args:
        n_quantiles: how many, at equal distances of probability.

    Raises:
        ValueError: if there is no quantile.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        n_quantiles: int = 25,
        hidden_sizes: Sequence[int] = (256, 256),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        if n_quantiles < 1:
            raise ValueError(
                f"QuantileMLPQFunction: n_quantiles must be at least 1, got {n_quantiles!r}"
            )
        self.n_quantiles = n_quantiles
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_w_init, output_b_init, layer_normalization)
        super().__init__(env_spec, *hidden, *output)

    @property
    def output_dim(self) -> int:
        """How many numbers come out: a quantile each."""
        return self.n_quantiles
