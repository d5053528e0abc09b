"""DiscreteMLPQFunction: the value of each of finitely many actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import Network
from garage_like.np.dueling import DuelingNetwork
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.modules.module import Module
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.quiet_import import tf


class DiscreteMLPQFunction(Module):
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
        hidden_nonlinearity: Nonlinearity = tf.nn.relu,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        dueling: bool = False,
        name: str | None = None,
    ) -> None:
        check_discrete("DiscreteMLPQFunction", env_spec)
        self._dueling = dueling
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (None, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim + dueling, *hidden, *output)

    @property
    def is_dueling(self) -> bool:
        """Whether the value of the state is learned apart."""
        return self._dueling

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N, K), for flat observations, shape (N, D)."""
        outputs = self.mlp(observations)
        return combine_dueling(outputs) if self._dueling else outputs

    def to_numpy(self) -> Network | None:
        """Return the same function on copies of the weights, or None if NumPy cannot."""
        network = self.mlp.to_numpy()
        return DuelingNetwork(network) if self._dueling and network is not None else network


class DiscreteMLPDuelingQFunction(DiscreteMLPQFunction):
    """Value all actions at once, the value of the state apart from what each action adds to it.

    Wang et al. 2016, arXiv:1511.06581. Its arguments are those of DiscreteMLPQFunction.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "dueling": True})


def combine_dueling(outputs: tf.Tensor) -> tf.Tensor:
    """Compute Q(s, a) = V(s) + A(s, a) - mean A(s, .) from V and A side by side.

    Args:
        outputs: shape (N, 1 + K).

    Returns:
        Shape (N, K).
    """
    advantages = outputs[:, 1:]
    return outputs[:, :1] + advantages - tf.reduce_mean(advantages, 1, keepdims=True)
