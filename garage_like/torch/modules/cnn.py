"""CNN: convolutions over images that come as flat rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

import gymnasium
import numpy as np
import torch
from torch import nn

from garage_like.np.convolutions import (
    ImageFormat,
    Kernel,
    check_convolutions,
    check_what_is_left,
    image_shape,
)
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity, as_module

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


class CNNOptions(TypedDict, total=False):
    """Arguments that whatever looks at images hands to its CNN; see there."""

    hidden_channels: Sequence[int]
    kernel_sizes: Sequence[Kernel]
    strides: Sequence[int] | int
    paddings: Sequence[int] | int | None
    hidden_sizes: Sequence[int]
    hidden_nonlinearity: Nonlinearity
    hidden_w_init: Initializer
    hidden_b_init: Initializer
    output_nonlinearity: Nonlinearity
    output_w_init: Initializer
    output_b_init: Initializer
    layer_normalization: bool


class CNN(nn.Module):
    """Look at images through convolutions, then through a multi-layer perceptron.

    Images come as flat rows, as `flatten_observations` makes them; bytes are scaled to [0, 1].

    Args:
        space: of one image; a Box of shape (H, W), (H, W, C) or (C, H, W).
        output_dim: outputs.
        image_format: where the channels are.
        hidden_channels: of each convolution.
        kernel_sizes: of each convolution.
        strides: of each convolution, or one number for all.
        paddings: of each convolution, or one number for all; None for none.
        hidden_sizes: units of each fully connected hidden layer that follows.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_nonlinearity: as hidden_nonlinearity.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity behind them.
        cnn_hidden_nonlinearity: that of the convolutions; None for hidden_nonlinearity.
        padding_mode: what paddings consist of, as `torch.nn.Conv2d` has it.
        pool_shape: height and width of which the largest is taken behind each; None for no pooling.
        pool_stride: steps from one to the next.

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
        layer_normalization: bool = False,
        cnn_hidden_nonlinearity: Nonlinearity = None,
        padding_mode: PaddingMode = "zeros",
        pool_shape: Kernel | None = None,
        pool_stride: Kernel = 1,
    ) -> None:
        super().__init__()
        strides, paddings = (
            [value or 0] * len(hidden_channels)
            if value is None or isinstance(value, int)
            else value
            for value in (strides, paddings)
        )
        check_convolutions(hidden_channels, kernel_sizes, strides, paddings)
        self._image_shape = image_shape(space, image_format)
        self._channels_last = image_format == "NHWC"
        self._scale = 1.0 / 255.0 if space.dtype == np.uint8 else 1.0
        height, width, channels = self._image_shape
        layers: list[nn.Module] = []
        for number, kernel, stride, padding in zip(
            hidden_channels, kernel_sizes, strides, paddings, strict=True
        ):
            layer = nn.Conv2d(channels, number, kernel, stride, padding, padding_mode=padding_mode)
            hidden_w_init(layer.weight)
            hidden_b_init(layer.bias)  # type: ignore[arg-type]
            between = cnn_hidden_nonlinearity or hidden_nonlinearity
            layers += [layer, as_module("hidden_nonlinearity", between)]
            channels = number
            height, width = _left((height, width), kernel, stride, padding)
            if pool_shape is not None:
                layers.append(nn.MaxPool2d(pool_shape, pool_stride))
                height, width = _left((height, width), pool_shape, pool_stride)
            check_what_is_left(height, width, space, kernel, stride)
        self.convolutions = nn.Sequential(*layers)
        hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
        output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
        self.mlp = MLP(height * width * channels, output_dim, *hidden, *output)

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


def _left(
    size: tuple[int, int], window: Kernel, stride: Kernel, padding: int = 0
) -> tuple[int, int]:
    """Return height and width of what is left behind windows that are laid on an image."""
    windows, strides = ((w, w) if isinstance(w, int) else w for w in (window, stride))
    height, width = (
        (length + 2 * padding - extent) // step + 1
        for length, extent, step in zip(size, windows, strides, strict=True)
    )
    return height, width
