"""GaussianCNNValueFunction: a value function that looks at images."""

from __future__ import annotations

from typing import Unpack

import torch

from garage_like.data.env_spec import EnvSpec
from garage_like.np.convolutions import ImageFormat
from garage_like.torch.modules.cnn import CNN, CNNOptions
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
        learn_std: bool = True,
        init_std: float = 1.0,
        name: str | None = None,
        **options: Unpack[CNNOptions],
    ) -> None:
        super().__init__(env_spec, learn_std=learn_std, init_std=init_std)
        self.cnn = CNN(
            env_spec.observation_space,
            1,
            image_format=image_format,
            **options,
        )

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Return values, shape (N,), of images as flat rows, shape (N, D)."""
        values: torch.Tensor = self.cnn(obs).squeeze(-1)
        return values
