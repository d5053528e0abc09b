"""ValueFunction: what value functions that are modules of torch have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from garage_like.configuration.configured import Named
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.observations import flatten_observations
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper


class ValueFunction(Named, nn.Module):
    """Value observations by a module that is fitted by gradient steps.

    A subclass implements `forward`, which maps flat observations, shape (N, D), to values, shape
    (N,), and `compute_loss`.

    Args:
        env_spec: of the environment whose observations are valued.
        name: what it is called; None for the name of its class.
    """

    def __init__(self, env_spec: EnvSpec, name: str | None = None) -> None:
        super().__init__()
        if name is not None:
            self._name = name
        self._env_spec = env_spec
        self._optimizer: OptimizerWrapper | None = None

    def compute_loss(self, obs: torch.Tensor, returns: torch.Tensor) -> torch.Tensor:
        """Compute how far values are from returns, a scalar.

        Args:
            obs: shape (N, D), flat observations.
            returns: shape (N,).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement compute_loss")

    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return values of observations, shape (S,), and of last_observations, shape (N,)."""
        everything = np.concatenate([episodes.observations, episodes.last_observations])
        values = self._predict(self._flatten(everything)).cpu().numpy()
        return values[: episodes.num_steps], values[episodes.num_steps :]

    @torch.no_grad()
    def _predict(self, observations: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self(observations)
        return values.reshape(len(observations))

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
        self._minimize(optimizer, observations, targets)

    def _minimize(
        self, optimizer: OptimizerWrapper, observations: torch.Tensor, returns: torch.Tensor
    ) -> None:
        optimizer.minimize(self.compute_loss, observations, returns)

    def _flatten(self, observations: Any) -> torch.Tensor:
        rows = flatten_observations(self._env_spec.observation_space, observations)
        return torch.from_numpy(rows).to(next(self.parameters()).device)


def default_optimizer(value_function: nn.Module) -> OptimizerWrapper:
    """Return what fits a value function where nothing else is asked for."""
    return OptimizerWrapper(
        (torch.optim.Adam, {"lr": 2.5e-4}),
        value_function,
        max_optimization_epochs=10,
        minibatch_size=64,
    )
