"""ContinuousMLPPolicy: one continuous action for each observation."""

from __future__ import annotations

from collections.abc import Sequence

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import DeterministicActor
from garage_like.np.bounded_actions import ScaledNetwork, action_range
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity
from garage_like.tf.policies.policy import Policy, TFNetwork
from garage_like.tf.policies.spaces import check_box
from garage_like.tf.quiet_import import tf


class ContinuousMLPPolicy(Policy):
    """Take the action that a multi-layer perceptron gives.

    Outputs are scaled from [-1, 1] to the bounds of the action space, where it has any; so an
    output nonlinearity that keeps within [-1, 1], such as tanh, keeps actions within the bounds.
    In torch this is DeterministicMLPPolicy.

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
        hidden_nonlinearity: Nonlinearity = tf.nn.relu,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_nonlinearity: Nonlinearity = tf.tanh,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        check_box("ContinuousMLPPolicy", env_spec)
        super().__init__(env_spec)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(env_spec.observation_dim, env_spec.action_dim, *hidden, *output)
        self.action_centre, self.action_scale = action_range(env_spec.action_space)

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return actions, shape (N, K), for flat observations, shape (N, D)."""
        return self.action_centre + self.action_scale * self.mlp(observations)

    def actor(self) -> DeterministicActor:
        network = ScaledNetwork(
            self.mlp.to_numpy() or TFNetwork(self.mlp), self.action_centre, self.action_scale
        )
        spec = self._env_spec
        return DeterministicActor(network, spec.observation_space, spec.action_space.shape)
