"""CategoricalMLPPolicy: choose among finitely many actions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from gymnasium import spaces
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.torch.distributions import Categorical
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.policies.policy import TorchNetwork
from garage_like.torch.policies.stochastic_policy import StochasticPolicy


class CategoricalMLPPolicy(StochasticPolicy):
    """Choose actions with the probabilities that a multi-layer perceptron gives them.

    Args:
        env_spec: its action space is Discrete.
        output_nonlinearity: applied to the logits.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0.
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
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        space = env_spec.action_space
        if not isinstance(space, spaces.Discrete) or space.start != 0:
            raise ValueError(
                "CategoricalMLPPolicy needs actions 0 to n - 1: a Discrete action space with "
                f"start=0, got {space!r}; for a Box there is GaussianMLPPolicy"
            )
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim, *hidden, *output)

    def forward(self, observations: torch.Tensor) -> tuple[Categorical, dict[str, torch.Tensor]]:
        return Categorical(self.mlp(observations)), {}

    def actor(self) -> CategoricalActor:
        """Return a NumPy actor on the current weights; its infos: logits, shape (N, K)."""
        network = self.mlp.to_numpy() or TorchNetwork(self.mlp)
        return CategoricalActor(network, self._env_spec.observation_space)
