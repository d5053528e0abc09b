"""Gaussian policies on recurrent cells: continuous actions around a mean, with a memory."""

from __future__ import annotations

import math
from typing import Unpack

import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import GaussianActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.torch.distributions import DiagonalGaussian
from garage_like.torch.modules.recurrent_cells import GRU, LSTM
from garage_like.torch.policies.deterministic_mlp_policy import check_box
from garage_like.torch.policies.recurrent_policy import (
    CfCPolicy,
    EpisodeSteps,
    RecurrentOptions,
    RecurrentPolicy,
)
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class GaussianRecurrentPolicy(RecurrentPolicy, StochasticPolicy):
    """Draw actions around the mean that a recurrent network gives.

    The standard deviations do not depend on observations. Actions are not clipped: the
    environment's bounds are the environment's affair.

    Args:
        env_spec: its action space is a Box.
        learn_std: whether the standard deviations are parameters.
        init_std: what they start at.

    Raises:
        ValueError: if the action space is no Box, hidden_dim is no positive integer, or init_std
            is not positive.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_dim: int = 32,
        *,
        learn_std: bool = True,
        init_std: float = 1.0,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        if not init_std > 0.0:
            raise ValueError(f"{type(self).__name__}: init_std must be positive, got {init_std!r}")
        super().__init__(env_spec, hidden_dim, **options)
        log_std = torch.full((env_spec.action_dim,), math.log(init_std))
        self.log_std: torch.Tensor
        if learn_std:
            self.log_std = nn.Parameter(log_std)
        else:
            self.register_buffer("log_std", log_std)

    def _check_spaces(self, env_spec: EnvSpec) -> None:
        check_box(type(self).__name__, env_spec)

    def forward(self, inputs: EpisodeSteps) -> tuple[DiagonalGaussian, dict[str, torch.Tensor]]:  # type: ignore[override]
        """Return the distribution over actions at each step of `inputs(episodes)`."""
        mean = self._outputs(inputs)
        return DiagonalGaussian(mean, self.log_std), {"mean": mean, "log_std": self.log_std}

    def actor(self) -> RecurrentActor:
        """Return a NumPy actor on the current weights; its infos: mean, log_std, shape (N, K)."""
        network, space = self._network(), self._env_spec.observation_space
        shape = self._env_spec.action_space.shape
        assert shape is not None
        log_std = self.log_std.detach().cpu().numpy()
        return RecurrentActor(GaussianActor(network, log_std, space, shape), network)


class GaussianGRUPolicy(GaussianRecurrentPolicy):
    """Draw actions around the mean that a gated recurrent unit gives.

    Its arguments are those of GaussianRecurrentPolicy.
    """

    cell_class = GRU


class GaussianLSTMPolicy(GaussianRecurrentPolicy):
    """Draw actions around the mean that a long short-term memory gives.

    Its arguments are those of GaussianRecurrentPolicy.
    """

    cell_class = LSTM


class GaussianCfCPolicy(CfCPolicy, GaussianRecurrentPolicy):
    """Draw actions around the mean that a closed-form continuous-time cell gives."""
