"""DiscreteCNNQFunction: the value of each of finitely many actions, by looking at an image."""

from __future__ import annotations

from collections.abc import Sequence

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import Network
from garage_like.tf.modules.cnn import CNN, ImageFormat, Kernel, Paddings
from garage_like.tf.modules.initializers import Initializer, xavier_uniform, zeros
from garage_like.tf.modules.mlp import Nonlinearity
from garage_like.tf.modules.module import Module
from garage_like.tf.policies.spaces import check_discrete
from garage_like.tf.q_functions.discrete_mlp_q_function import combine_dueling
from garage_like.tf.quiet_import import tf


class DiscreteCNNQFunction(Module):
    """Value all actions at once, by convolutions.

    Args:
        env_spec: its observations are images, its action space is Discrete.
        max_pooling: take the largest of each `pool_shapes` behind each convolution.
        pool_strides: steps from one such to the next.
        pool_shapes: its height and width.
        dueling: learn the value of the state apart from what each action adds to it.

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
        cnn_hidden_nonlinearity: Nonlinearity = None,
        max_pooling: bool = False,
        pool_strides: tuple[int, int] = (2, 2),
        pool_shapes: tuple[int, int] = (2, 2),
        dueling: bool = False,
        name: str | None = None,
    ) -> None:
        check_discrete("DiscreteCNNQFunction", env_spec)
        self._dueling = dueling
        self.cnn = CNN(
            env_spec.observation_space,
            env_spec.action_dim + dueling,
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
            cnn_hidden_nonlinearity=cnn_hidden_nonlinearity,
            pool_shape=pool_shapes if max_pooling else None,
            pool_strides=pool_strides,
        )

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N, K), for flat observations, shape (N, D)."""
        outputs = self.cnn(observations)
        return combine_dueling(outputs) if self._dueling else outputs

    def to_numpy(self) -> Network | None:
        """Return None: NumPy has no convolutions."""
        return None
