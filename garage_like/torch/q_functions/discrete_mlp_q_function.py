"""DiscreteMLPQFunction: the value of each of finitely many actions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from garage_like.configuration.configured import Named
from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import Network
from garage_like.np.dueling import DuelingNetwork
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity
from garage_like.torch.policies.discrete_qf_argmax_policy import check_discrete


class DiscreteMLPQFunction(Named, nn.Module):
    """Value all actions at once, by a multi-layer perceptron.

    Args:
        env_spec: its action space is Discrete.
        dueling: learn the value of the state apart from what each action adds to it (Wang et al.
            2016, arXiv:1511.06581). Differs from the paper: both share all hidden layers.

    Raises:
        ValueError: if the action space is not Discrete, counted from 0.
    """

    EXPLAINED_BY = (MLP,)

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (64, 64),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
        dueling: bool = False,
        name: str | None = None,
    ) -> None:
        check_discrete("DiscreteMLPQFunction", env_spec)
        super().__init__()
        self._dueling = dueling
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (None, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim + dueling, *hidden, *output)

    @property
    def output_dim(self) -> int:
        """How many numbers come out: a value for each action."""
        return self.mlp.output_dim - self._dueling

    @property
    def is_dueling(self) -> bool:
        """Whether the value of the state is learned apart."""
        return self._dueling

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N, K), for flat observations, shape (N, D)."""
        outputs: torch.Tensor = self.mlp(observations)
        return combine_dueling(outputs) if self._dueling else outputs

    def to_numpy(self) -> Network | None:
        """Return the same function on NumPy views of the weights, or None if NumPy cannot."""
        network = self.mlp.to_numpy()
        return DuelingNetwork(network) if self._dueling and network is not None else network


def combine_dueling(outputs: torch.Tensor) -> torch.Tensor:
    """Compute Q(s, a) = V(s) + A(s, a) - mean A(s, .) from V and A side by side.

    Args:
        outputs: shape (N, 1 + K).

    Returns:
        Shape (N, K).
    """
    advantages = outputs[:, 1:]
    return outputs[:, :1] + advantages - advantages.mean(dim=1, keepdim=True)
