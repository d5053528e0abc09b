"""GaussianGRUPolicy and GaussianLSTMPolicy: continuous actions around a mean, with a memory."""

from __future__ import annotations

import math

import torch
from gymnasium import spaces
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import GaussianActor
from garage_like.np.recurrent_actors import RecurrentActor
from garage_like.torch.distributions import DiagonalGaussian
from garage_like.torch.modules.mlp import Initializer
from garage_like.torch.modules.recurrent_cells import GRU, LSTM
from garage_like.torch.policies.recurrent_policy import EpisodeSteps, RecurrentPolicy


class GaussianRecurrentPolicy(RecurrentPolicy):
    """Draw actions around the mean that a recurrent network gives.

    The standard deviations do not depend on observations. Actions are not clipped: the
    environment's bounds are the environment's affair.

    Args:
        env_spec: its action space is a Box.
        hidden_dim: units of the cell.
        hidden_w_init: fills the input weights of one gate in place.
        recurrent_w_init: fills the weights of one gate for the state.
        hidden_b_init: fills the biases of one gate.
        output_w_init: fills a weight in place.
        output_b_init: fills a bias in place.
        state_include_action: append the previous action to the observation.
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
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        recurrent_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        state_include_action: bool = True,
        learn_std: bool = True,
        init_std: float = 1.0,
    ) -> None:
        owner = type(self).__name__
        if not isinstance(env_spec.action_space, spaces.Box):
            raise ValueError(f"{owner} needs a Box action space, got {env_spec.action_space!r}")
        if not init_std > 0.0:
            raise ValueError(f"{owner}: init_std must be positive, got {init_std!r}")
        super().__init__(
            env_spec,
            hidden_dim,
            hidden_w_init,
            recurrent_w_init,
            hidden_b_init,
            output_w_init,
            output_b_init,
            state_include_action,
        )
        log_std = torch.full((env_spec.action_dim,), math.log(init_std))
        self.log_std: torch.Tensor
        if learn_std:
            self.log_std = nn.Parameter(log_std)
        else:
            self.register_buffer("log_std", log_std)

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
