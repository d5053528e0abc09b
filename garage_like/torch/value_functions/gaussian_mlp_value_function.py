"""GaussianMLPValueFunction: a value function fitted by maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from garage_like.configuration.configured import Named
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.observations import flatten_observations
from garage_like.torch.kernels.on_policy import outputs_of_many, value_gradient
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper, fast_path_is_on


class GaussianMLPValueFunction(Named, nn.Module):
    """Take returns as normally distributed around a multi-layer perceptron's value.

    Args:
        env_spec: of the environment whose observations are valued.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_nonlinearity: applied to the value.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        learn_std: whether the standard deviation is a parameter.
        init_std: what it starts at.
        layer_normalization: normalise what goes into each hidden nonlinearity.

    Raises:
        ValueError: if init_std is not positive.
    """

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
    ) -> None:
        if not init_std > 0.0:
            raise ValueError(
                f"GaussianMLPValueFunction: init_std must be positive, got {init_std!r}"
            )
        super().__init__()
        self._env_spec = env_spec
        self._optimizer: OptimizerWrapper | None = None
        self.mlp = MLP(
            env_spec.observation_dim,
            1,
            hidden_sizes,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_nonlinearity,
            output_w_init,
            output_b_init,
            layer_normalization,
        )
        log_std = torch.tensor(math.log(init_std))
        self.log_std: torch.Tensor
        if learn_std:
            self.log_std = nn.Parameter(log_std)
        else:
            self.register_buffer("log_std", log_std)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N,), of flat observations, shape (N, D)."""
        values: torch.Tensor = self.mlp(observations).squeeze(-1)
        return values

    def compute_loss(self, observations: torch.Tensor, returns: torch.Tensor) -> torch.Tensor:
        """Compute the mean of -log N(G | V(s), sigma^2).

        Args:
            observations: shape (N, D), flat.
            returns: shape (N,).
        """
        z = (returns - self(observations)) * torch.exp(-self.log_std)
        return 0.5 * z.square().mean() + self.log_std + 0.5 * math.log(2.0 * math.pi)

    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return values of observations, shape (S,), and of last_observations, shape (N,)."""
        everything = np.concatenate([episodes.observations, episodes.last_observations])
        values = self._predict(self._flatten(everything)).cpu().numpy()
        return values[: episodes.num_steps], values[episodes.num_steps :]

    @torch.no_grad()
    def _predict(self, observations: torch.Tensor) -> torch.Tensor:
        many = None
        if type(self) is GaussianMLPValueFunction and fast_path_is_on():
            many = outputs_of_many(self, self.mlp, observations)
        return self(observations) if many is None else many[:, 0]

    def fit(
        self, episodes: EpisodeBatch, returns: np.ndarray, optimizer: OptimizerWrapper | None = None
    ) -> None:
        """Move towards returns, shape (S,), by gradient steps.

        Args:
            episodes: whose observations were followed by the returns.
            returns: shape (S,).
            optimizer: takes the steps; None for an Adam of the value function's own.
        """
        if optimizer is None:
            optimizer = self._optimizer = self._optimizer or default_optimizer(self)
        observations = self._flatten(episodes.observations)
        targets = torch.as_tensor(returns, dtype=torch.float32, device=observations.device)
        is_plain = type(self) is GaussianMLPValueFunction
        gradient = value_gradient(self, optimizer) if is_plain else None
        optimizer.minimize(self.compute_loss, observations, targets, gradient=gradient)

    def _flatten(self, observations: Any) -> torch.Tensor:
        rows = flatten_observations(self._env_spec.observation_space, observations)
        return torch.from_numpy(rows).to(self.log_std.device)


def default_optimizer(value_function: nn.Module) -> OptimizerWrapper:
    """Return what fits a value function where nothing else is asked for."""
    return OptimizerWrapper(
        (torch.optim.Adam, {"lr": 2.5e-4}),
        value_function,
        max_optimization_epochs=10,
        minibatch_size=64,
    )
