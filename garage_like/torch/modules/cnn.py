"""CNN: convolutions over images that come as flat rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity, as_module

ImageFormat = Literal["NHWC", "NCHW"]


class CNN(nn.Module):
    """Look at images through convolutions, then through a multi-layer perceptron.

    Images come as flat rows, as `flatten_observations` makes them; bytes are scaled to [0, 1].

    Args:
        space: of one image; a Box of shape (H, W), (H, W, C) or (C, H, W).
        output_dim: outputs.
        image_format: where the channels are.
        hidden_channels: of each convolution.
        kernel_sizes: of each convolution.
        strides: of each convolution.
        paddings: of each convolution; None for none.
        hidden_sizes: units of each fully connected hidden layer that follows.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.

    Raises:
        ValueError: if the space has no images, convolutions are not of one number, or nothing of
            the image is left behind them.
    """

    def __init__(
        self,
        space: gymnasium.Space,
        output_dim: int,
        *,
        image_format: ImageFormat = "NHWC",
        hidden_channels: Sequence[int] = (16, 32),
        kernel_sizes: Sequence[int] = (8, 4),
        strides: Sequence[int] = (4, 2),
        paddings: Sequence[int] | None = None,
        hidden_sizes: Sequence[int] = (256,),
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
    ) -> None:
        super().__init__()
        paddings = [0] * len(hidden_channels) if paddings is None else paddings
        numbers = {len(hidden_channels), len(kernel_sizes), len(strides), len(paddings)}
        if len(numbers) != 1 or numbers == {0}:
            raise ValueError(
                "CNN: hidden_channels, kernel_sizes, strides and paddings must have one entry for "
                f"each convolution, got {hidden_channels!r}, {kernel_sizes!r}, {strides!r} and "
                f"{paddings!r}"
            )
        self._image_shape = _image_shape(space, image_format)
        self._channels_last = image_format == "NHWC"
        self._scale = 1.0 / 255.0 if space.dtype == np.uint8 else 1.0
        height, width, channels = self._image_shape
        layers: list[nn.Module] = []
        for number, kernel, stride, padding in zip(
            hidden_channels, kernel_sizes, strides, paddings, strict=True
        ):
            layer = nn.Conv2d(channels, number, kernel, stride, padding)
            hidden_w_init(layer.weight)
            hidden_b_init(layer.bias)  # type: ignore[arg-type]
            layers += [layer, as_module("hidden_nonlinearity", hidden_nonlinearity)]
            channels = number
            height = (height + 2 * padding - kernel) // stride + 1
            width = (width + 2 * padding - kernel) // stride + 1
            if height < 1 or width < 1:
                raise ValueError(
                    f"CNN: nothing is left of images of shape {space.shape} behind a convolution "
                    f"with kernel size {kernel} and stride {stride}; use fewer or smaller ones"
                )
        self.convolutions = nn.Sequential(*layers)
        self.mlp = MLP(
            height * width * channels,
            output_dim,
            hidden_sizes,
            hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            None,
            output_w_init,
            output_b_init,
        )

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Map flat images, shape (N, D), to shape (N, output_dim)."""
        height, width, channels = self._image_shape
        if self._channels_last:
            images = rows.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        else:
            images = rows.reshape(-1, channels, height, width)
        if self._scale != 1.0:
            images = images * self._scale
        outputs: torch.Tensor = self.mlp(self.convolutions(images).flatten(1))
        return outputs


def _image_shape(space: gymnasium.Space, image_format: str) -> tuple[int, int, int]:
    """Return height, width and channels."""
    if image_format not in ("NHWC", "NCHW"):
        raise ValueError(f"CNN: image_format must be 'NHWC' or 'NCHW', got {image_format!r}")
    if not isinstance(space, spaces.Box) or len(space.shape) not in (2, 3):
        raise ValueError(f"CNN: observations must be images of 2 or 3 dimensions, got {space!r}")
    shape = space.shape if len(space.shape) == 3 else (*space.shape, 1)
    if image_format == "NCHW" and len(space.shape) == 3:
        shape = (*shape[1:], shape[0])
    height, width, channels = shape
    return height, width, channels
