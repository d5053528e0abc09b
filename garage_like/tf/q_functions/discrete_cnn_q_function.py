"""DiscreteCNNQFunction: the value of each of finitely many actions, by looking at an image."""

from __future__ import annotations

from typing import Unpack

from garage_like.data.env_spec import EnvSpec
from garage_like.np.actors import Network
from garage_like.np.convolutions import ImageFormat
from garage_like.tf.modules.cnn import CNN, CNNOptions
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
        cnn_hidden_nonlinearity: Nonlinearity = None,
        max_pooling: bool = False,
        pool_strides: tuple[int, int] = (2, 2),
        pool_shapes: tuple[int, int] = (2, 2),
        dueling: bool = False,
        name: str | None = None,
        **options: Unpack[CNNOptions],
    ) -> None:
        check_discrete("DiscreteCNNQFunction", env_spec)
        self._dueling = dueling
        self.cnn = CNN(
            env_spec.observation_space,
            env_spec.action_dim + dueling,
            image_format=image_format,
            cnn_hidden_nonlinearity=cnn_hidden_nonlinearity,
            pool_shape=pool_shapes if max_pooling else None,
            pool_strides=pool_strides,
            **options,
        )

    def __call__(self, observations: tf.Tensor) -> tf.Tensor:
        """Return values, shape (N, K), for flat observations, shape (N, D)."""
        outputs = self.cnn(observations)
        return combine_dueling(outputs) if self._dueling else outputs

    def to_numpy(self) -> Network | None:
        """Return None: NumPy has no convolutions."""
        return None
