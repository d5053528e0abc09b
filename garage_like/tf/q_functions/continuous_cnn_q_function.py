"""ContinuousCNNQFunction: the value of an image and a continuous action."""

from __future__ import annotations

from collections.abc import Sequence

from garage_like.data.env_spec import EnvSpec
from garage_like.np.convolutions import ImageFormat, Kernel
from garage_like.tf.modules.cnn import CNN, Paddings
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import Nonlinearity
from garage_like.tf.q_functions.continuous_mlp_q_function import ActionValue, merged_mlps
from garage_like.tf.quiet_import import tf


class ContinuousCNNQFunction(ActionValue):
    """Value an image and an action together: convolutions, then a perceptron that takes both.

    Args:
        env_spec: its observations are images.
        action_merge_layer: which layer of the perceptron takes the action beside its inputs,
            counted from 0, or back from the output layer, which is -1.
        max_pooling: take the largest of each `pool_shapes` behind each convolution.
        pool_strides: steps from one such to the next.
        pool_shapes: its height and width.

    Raises:
        ValueError: if observations are no images, or the convolutions contradict each other.
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
        action_merge_layer: int = -2,
        hidden_nonlinearity: Nonlinearity = tf.nn.relu,
        cnn_hidden_nonlinearity: Nonlinearity = None,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        max_pooling: bool = False,
        pool_strides: tuple[int, int] = (2, 2),
        pool_shapes: tuple[int, int] = (2, 2),
        name: str | None = None,
    ) -> None:
        self.convolutions = CNN(
            env_spec.observation_space,
            None,
            image_format=image_format,
            hidden_channels=hidden_channels,
            kernel_sizes=kernel_sizes,
            strides=strides,
            paddings=paddings,
            hidden_nonlinearity=hidden_nonlinearity,
            cnn_hidden_nonlinearity=cnn_hidden_nonlinearity,
            hidden_w_init=hidden_w_init,
            hidden_b_init=hidden_b_init,
            pool_shape=pool_shapes if max_pooling else None,
            pool_strides=pool_strides,
        )
        self.observation_mlp, self.mlp = merged_mlps(
            self.convolutions.output_dim,
            env_spec.action_dim,
            hidden_sizes,
            action_merge_layer,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_w_init,
            output_b_init,
            layer_normalization,
        )

    def __call__(self, observations: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N, 1).

        Args:
            observations: shape (N, D), flat images.
            actions: shape (N, K), flat.
        """
        return super().__call__(self.convolutions(observations), actions)
