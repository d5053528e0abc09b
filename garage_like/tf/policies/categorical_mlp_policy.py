"""CategoricalMLPPolicy: choose among finitely many actions."""

from __future__ import annotations

from collections.abc import Sequence

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.tf.distributions import Categorical
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


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
        hidden_nonlinearity: Nonlinearity = tf.tanh,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        check_discrete("CategoricalMLPPolicy", env_spec)
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim, *hidden, *output)

    def __call__(self, observations: tf.Tensor) -> tuple[Categorical, dict[str, tf.Tensor]]:
        return Categorical(self.mlp(observations)), {}

    def actor(self) -> CategoricalActor:
        """Return a NumPy actor on the current weights; its infos: logits, shape (N, K)."""
        network = self.mlp.to_numpy() or TFNetwork(self.mlp)
        return CategoricalActor(network, self._env_spec.observation_space)
