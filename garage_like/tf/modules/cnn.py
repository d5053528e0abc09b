"""CNN: convolutions over images that come as flat rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypedDict

import gymnasium
import numpy as np

from garage_like.np.convolutions import (
    ImageFormat,
    Kernel,
    check_convolutions,
    check_what_is_left,
    image_shape,
)
from garage_like.tf.modules.initializers import Initializer, make_variable, xavier_uniform, zeros
from garage_like.tf.modules.mlp import MLP, Nonlinearity, activation_function, as_activation
from garage_like.tf.modules.module import Module
from garage_like.tf.quiet_import import tf

Paddings = Sequence[int] | Literal["SAME", "VALID"]
"""Zeros around the inputs of each convolution, or TensorFlow's own words for how many."""


class Convolution(NamedTuple):
    """A kernel, shape (height, width, inputs, outputs), and biases, shape (outputs,)."""

    kernel: tf.Variable
    bias: tf.Variable


class CNNOptions(TypedDict, total=False):
    """Arguments that whatever looks at images hands to its CNN; see there."""

    hidden_channels: Sequence[int]
    kernel_sizes: Sequence[Kernel]
    strides: Sequence[int] | int
    paddings: Paddings | None
    hidden_sizes: Sequence[int]
    hidden_nonlinearity: Nonlinearity
    hidden_w_init: Initializer
    hidden_b_init: Initializer
    output_nonlinearity: Nonlinearity
    output_w_init: Initializer
    output_b_init: Initializer
    layer_normalization: bool


class CNN(Module):
    """Look at images through convolutions, then through a multi-layer perceptron.

    Images come as flat rows, as `flatten_observations` makes them; bytes are scaled to [0, 1].

    Args:
        space: of one image; a Box of shape (H, W), (H, W, C) or (C, H, W).
        output_dim: outputs; None for what the last convolution gives, without a perceptron.
        image_format: where the channels are.
        hidden_channels: of each convolution.
        kernel_sizes: of each convolution.
        strides: of each convolution, or one number for all.
        paddings: of each convolution, or 'SAME' or 'VALID' for all; None for none.
        hidden_sizes: units of each fully connected hidden layer that follows.
        hidden_nonlinearity: function of a tensor; None for none.
        hidden_w_init: maps a shape to weights.
        hidden_b_init: maps a shape to biases.
        output_nonlinearity: as hidden_nonlinearity.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity behind them.
        cnn_hidden_nonlinearity: that of the convolutions; None for hidden_nonlinearity.
        pool_shape: height and width of which the largest is taken behind each; None for no pooling.
        pool_strides: steps from one to the next.

    Attributes:
        convolutions: kernels, shape (height, width, inputs, outputs), and biases, (outputs,).
        mlp: what follows; its inputs are rows, columns and channels, in this order.

    Raises:
        ValueError: if the space has no images, convolutions are not of one number, or nothing of
            the image is left behind them.
    """

    def __init__(
        self,
        space: gymnasium.Space,
        output_dim: int | None,
        *,
        image_format: ImageFormat = "NHWC",
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
        pool_shape: tuple[int, int] | None = None,
        pool_strides: tuple[int, int] = (2, 2),
        name: str | None = None,
    ) -> None:
        if isinstance(strides, int):
            strides = [strides] * len(hidden_channels)
        if paddings is None or isinstance(paddings, str):
            if paddings not in (None, "SAME", "VALID"):
                raise ValueError(
                    f"CNN: paddings must be numbers, 'SAME' or 'VALID', got {paddings!r}"
                )
            paddings = ["SAME" if paddings == "SAME" else 0] * len(hidden_channels)  # type: ignore[list-item]
        check_convolutions(hidden_channels, kernel_sizes, strides, paddings)
        self._image_shape = image_shape(space, image_format)
        self._channels_last = image_format == "NHWC"
        self._scale = 1.0 / 255.0 if space.dtype == np.uint8 else 1.0
        self._strides, self._paddings = list(strides), list(paddings)
        self._pooling = None if pool_shape is None else (tuple(pool_shape), tuple(pool_strides))
        between = cnn_hidden_nonlinearity or hidden_nonlinearity
        self._activation = as_activation("hidden_nonlinearity", between)
        self.convolutions: list[Convolution] = []
        height, width, channels = self._image_shape
        for i, (number, kernel, stride, padding) in enumerate(
            zip(hidden_channels, kernel_sizes, strides, paddings, strict=True)
        ):
            window = (kernel, kernel) if isinstance(kernel, int) else tuple(kernel)
            shape = (*window, channels, number)
            self.convolutions.append(
                Convolution(
                    make_variable(hidden_w_init, shape, f"convolution_{i}_kernel"),
                    make_variable(hidden_b_init, (number,), f"convolution_{i}_bias"),
                )
            )
            channels = number
            height, width = _left((height, width), window, (stride, stride), padding)
            if self._pooling is not None:
                height, width = _left((height, width), *self._pooling, padding)
            check_what_is_left(height, width, space, kernel, stride)
        self._flat_dim = height * width * channels
        self.mlp: MLP | None = None
        if output_dim is not None:
            hidden = (hidden_sizes, hidden_nonlinearity, hidden_w_init, hidden_b_init)
            output = (output_nonlinearity, output_w_init, output_b_init, layer_normalization)
            self.mlp = MLP(self._flat_dim, output_dim, *hidden, *output)

    @property
    def output_dim(self) -> int:
        """How many outputs there are."""
        return self._flat_dim if self.mlp is None else int(self.mlp.layers[-1].bias.shape[0])

    _pooling: tuple[Any, Any] | None = None  # snapshots of before there was any have no entry

    def __call__(self, rows: tf.Tensor) -> tf.Tensor:
        """Map flat images, shape (N, D), to shape (N, output_dim)."""
        height, width, channels = self._image_shape
        if self._channels_last:
            x = tf.reshape(rows, (-1, height, width, channels))
        else:
            x = tf.transpose(tf.reshape(rows, (-1, channels, height, width)), (0, 2, 3, 1))
        if self._scale != 1.0:
            x = x * self._scale
        activate = activation_function(self._activation)
        for (kernel, bias), stride, padding in zip(
            self.convolutions, self._strides, self._paddings, strict=True
        ):
            pads = _as_tensorflow_takes_it(padding)
            x = activate(tf.nn.conv2d(x, kernel, stride, pads) + bias)
            if self._pooling is not None:
                x = tf.nn.max_pool2d(x, *self._pooling, pads)
        rows = tf.reshape(x, (-1, self._flat_dim))
        return rows if self.mlp is None else self.mlp(rows)

    def to_numpy(self) -> None:
        """Return None: NumPy has no convolutions."""


def _left(
    size: tuple[int, int], window: Sequence[int], strides: Sequence[int], padding: int | str
) -> tuple[int, int]:
    """Return height and width of what is left behind windows that are laid on an image."""
    if isinstance(padding, str):
        height, width = (-(-length // stride) for length, stride in zip(size, strides, strict=True))
    else:
        height, width = (
            (length + 2 * padding - extent) // stride + 1
            for length, extent, stride in zip(size, window, strides, strict=True)
        )
    return height, width


def _as_tensorflow_takes_it(padding: int | str) -> Any:
    if isinstance(padding, str):
        return padding
    return [[0, 0], [padding, padding], [padding, padding], [0, 0]]
