"""CategoricalCNNPolicy: choose among finitely many actions by looking at an image."""

from __future__ import annotations

from collections.abc import Sequence

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import CategoricalActor
from garage_like.tf.distributions import Categorical
from garage_like.tf.modules.cnn import CNN, ImageFormat, Kernel, Paddings
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import Nonlinearity
from garage_like.tf.policies.policy import TFNetwork
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


class CategoricalCNNPolicy(StochasticPolicy):
    """Choose actions with the probabilities that convolutions give them.

    Args:
        env_spec: its observations are images, its action space is Discrete.

    Raises:
        ValueError: if the spaces are others, or the convolutions contradict each other.
    """

    EXPLAINED_BY = (CNN,)

    def __init__(
        self,
        env_spec: EnvSpec,
        image_format: ImageFormat = "NHWC",
        *,
        hidden_channels: Sequence[int] = (16, 32),
        kernel_sizes: Sequence[Kernel] = (8, 4),
        strides: Sequence[int] | int = (4, 2),
        paddings: Paddings | None = None,
        hidden_sizes: Sequence[int] = (256,),
        hidden_nonlinearity: Nonlinearity = tf.nn.relu,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        check_discrete("CategoricalCNNPolicy", env_spec)
        super().__init__(env_spec)
        self.cnn = CNN(
            env_spec.observation_space,
            env_spec.action_dim,
            image_format=image_format,
            hidden_channels=hidden_channels,
            kernel_sizes=kernel_sizes,
            strides=strides,
            paddings=paddings,
            hidden_sizes=hidden_sizes,
            hidden_nonlinearity=hidden_nonlinearity,
            hidden_w_init=hidden_w_init,
            hidden_b_init=hidden_b_init,
            output_nonlinearity=output_nonlinearity,
            output_w_init=output_w_init,
            output_b_init=output_b_init,
            layer_normalization=layer_normalization,
        )

    def __call__(self, observations: tf.Tensor) -> tuple[Categorical, dict[str, tf.Tensor]]:
        """Return the distribution over actions for flat observations, shape (N, D)."""
        return Categorical(self.cnn(observations)), {}

    def actor(self) -> CategoricalActor:
        """Return an actor on the current weights; its infos: logits, shape (N, K)."""
        return CategoricalActor(TFNetwork(self.cnn), self._env_spec.observation_space)
