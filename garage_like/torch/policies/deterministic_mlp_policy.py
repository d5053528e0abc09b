"""DeterministicMLPPolicy: one continuous action for each observation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from gymnasium import spaces
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.np.bounded_actions import ScaledNetwork, action_range
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.policies.policy import Policy, TorchNetwork


class BoundedPolicy(Policy):
    """Scale what a network gives from [-1, 1] to the bounds of the action space."""

    action_centre: torch.Tensor
    action_scale: torch.Tensor

    def register_range(self, env_spec: EnvSpec) -> None:
        """Keep centre and half width of the action space beside the weights."""
        centre, scale = action_range(env_spec.action_space)
        self.register_buffer("action_centre", torch.from_numpy(centre))
        self.register_buffer("action_scale", torch.from_numpy(scale))


class DeterministicMLPPolicy(BoundedPolicy):
    """Take the action that a multi-layer perceptron gives.

    Outputs are scaled from [-1, 1] to the bounds of the action space, where it has any; so an
    output nonlinearity that keeps within [-1, 1], such as tanh, keeps actions within the bounds.

    Args:
        env_spec: its action space is a Box.
        output_nonlinearity: applied before scaling.

    Raises:
        ValueError: if the action space is no Box.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (256, 256),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = torch.tanh,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        check_box("DeterministicMLPPolicy", env_spec)
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim, *hidden, *output)
        self.register_range(env_spec)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return actions, shape (N, K), for flat observations, shape (N, D)."""
        actions: torch.Tensor = self.action_centre + self.action_scale * self.mlp(observations)
        return actions

    def actor(self) -> DeterministicActor:
        network = ScaledNetwork(
            self.mlp.to_numpy() or TorchNetwork(self.mlp),
            self.action_centre.cpu().numpy(),
            self.action_scale.cpu().numpy(),
        )
        spec = self._env_spec
        return DeterministicActor(network, spec.observation_space, spec.action_space.shape)


def check_box(owner: str, env_spec: EnvSpec) -> None:
    """Raise ValueError unless actions are numbers."""
    if not isinstance(env_spec.action_space, spaces.Box):
        raise ValueError(
            f"{owner} needs a Box action space, got {env_spec.action_space!r}; for a Discrete one "
            "there are CategoricalMLPPolicy and DiscreteQFArgmaxPolicy"
        )
