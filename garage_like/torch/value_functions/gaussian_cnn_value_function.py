"""GaussianCNNValueFunction: a value function that looks at images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.torch.modules.cnn import CNN, ImageFormat, Kernel
from garage_like.torch.modules.mlp import Initializer, Nonlinearity
from garage_like.torch.value_functions.gaussian_value_function import GaussianValueFunction


class GaussianCNNValueFunction(GaussianValueFunction):
    """Take returns as normally distributed around a value that convolutions give.

    In TensorFlow this is GaussianCNNBaseline.

    Args:
        env_spec: of the environment whose observations, images, are valued.
        output_nonlinearity: applied to the value.

    Raises:
        ValueError: if observations are no images, or init_std is not positive.
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
        paddings: Sequence[int] | int | None = None,
        hidden_sizes: Sequence[int] = (256,),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        learn_std: bool = True,
        init_std: float = 1.0,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(env_spec, learn_std=learn_std, init_std=init_std)
        self.cnn = CNN(
            env_spec.observation_space,
            1,
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

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N,), of images as flat rows, shape (N, D)."""
        values: torch.Tensor = self.cnn(observations).squeeze(-1)
        return values
