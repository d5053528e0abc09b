"""GaussianMLPValueFunction: a value function fitted by maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.torch.kernels.on_policy import outputs_of_many, value_gradient
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper, fast_path_is_on
from garage_like.torch.value_functions.gaussian_value_function import GaussianValueFunction


class GaussianMLPValueFunction(GaussianValueFunction):
    """Take returns as normally distributed around a multi-layer perceptron's value.

    Args:
        output_nonlinearity: applied to the value.

    Raises:
        ValueError: if init_std is not positive.
    """

    EXPLAINED_BY = (MLP,)

    _without_torch: bool | None = None  # of older snapshots, where the variable says so

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
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(env_spec, learn_std=learn_std, init_std=init_std)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, 1, *hidden, *output)
        self._without_torch = fast_path_is_on()

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N,), of flat observations, shape (N, D)."""
        values: torch.Tensor = self.mlp(obs).squeeze(-1)
        return values

    @torch.no_grad()
    def _predict(self, observations: torch.Tensor) -> torch.Tensor:
        many = None
        quick = fast_path_is_on() if self._without_torch is None else self._without_torch
        if type(self) is GaussianMLPValueFunction and quick:
            many = outputs_of_many(self, self.mlp, observations)
        return super()._predict(observations) if many is None else many[:, 0]

    def _minimize(
        self, optimizer: OptimizerWrapper, observations: torch.Tensor, returns: torch.Tensor
    ) -> None:
        is_plain = type(self) is GaussianMLPValueFunction
        gradient = value_gradient(self, optimizer) if is_plain else None
        optimizer.minimize(self.compute_loss, observations, returns, gradient=gradient)
