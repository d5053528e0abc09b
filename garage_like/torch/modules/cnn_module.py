"""CNNModule and DiscreteCNNModule: convolutions on images, for networks of one's own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import nn

from garage_like.data.env_spec import InOutSpec
from garage_like.torch.functions import expand_var
from garage_like.torch.modules.cnn import ImageFormat, Kernel, PaddingMode
from garage_like.torch.modules.mlp import MLP, Initializer, Nonlinearity, as_module


class CNNModule(nn.Module):
    """Look at images through convolutions, without the perceptron that CNN puts behind them.

    Args:
        spec: what goes in, a Box of three dimensions, and what comes out; with an output_space of
            None all that the last convolution gives, as one row. Bytes are scaled to [0, 1].
        image_format: where the channels are.
        hidden_channels: of each convolution.
        kernel_sizes: of each convolution, or one for all; so with strides, paddings and pools.
        strides: of each convolution.
        paddings: of each convolution.
        padding_mode: what paddings consist of, as `torch.nn.Conv2d` has it.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        max_pool: take the largest of each `pool_shape` behind each convolution.
        pool_shape: its height and width, or both in one number.
        pool_stride: steps from one such to the next.
        layer_normalization: normalise what each convolution gives.
        enable_cudnn_benchmarks: has no effect: they would choose other sums from run to run.

    Attributes:
        spec: with the output_space that there is.

    Raises:
        ValueError: if the spaces are no image and no vector, the format is not known, or there is
            no pool_shape for max_pool.
    """

    def __init__(
        self,
        spec: InOutSpec,
        image_format: ImageFormat,
        hidden_channels: Sequence[int],
        *,
        kernel_sizes: Sequence[Kernel] | Kernel,
        strides: Sequence[Kernel] | Kernel,
        paddings: Sequence[Kernel] | Kernel = 0,
        padding_mode: PaddingMode = "zeros",
        hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        max_pool: bool = False,
        pool_shape: Sequence[Kernel] | Kernel | None = None,
        pool_stride: Sequence[Kernel] | Kernel = 1,
        layer_normalization: bool = False,
        enable_cudnn_benchmarks: bool = False,
    ) -> None:
        super().__init__()
        _check_spaces(spec, image_format)
        if max_pool and pool_shape is None:
            raise ValueError("CNNModule: max_pool=True needs a pool_shape, got None")
        self._channels_last = image_format == "NHWC"
        self._scale = 1.0 / 255.0 if spec.input_space.dtype == np.uint8 else 1.0
        seen = torch.zeros(1, *spec.input_space.shape)  # type: ignore[misc]
        image = seen.permute(0, 3, 1, 2) if self._channels_last else seen
        if image.shape[1] not in (1, 3):
            warnings.warn(
                f"CNNModule: images have {image.shape[1]} channels; if that is their height or"
                " width, image_format is the other one",
                UserWarning,
                stacklevel=2,
            )
        kernels, steps, pads, pools, pool_steps = (
            expand_var(name, value, len(hidden_channels), "hidden_channels")
            for name, value in (
                ("kernel_sizes", kernel_sizes),
                ("strides", strides),
                ("paddings", paddings),
                ("pool_shape", pool_shape),
                ("pool_stride", pool_stride),
            )
        )
        self.layers = nn.Sequential()
        for i, channels in enumerate(hidden_channels):
            convolution = nn.Conv2d(
                image.shape[1], channels, kernels[i], steps[i], pads[i], padding_mode=padding_mode
            )
            hidden_w_init(convolution.weight)
            hidden_b_init(convolution.bias)  # type: ignore[arg-type]
            added: list[nn.Module] = [convolution]
            with torch.no_grad():
                image = convolution(image)
                if layer_normalization:
                    added.append(nn.LayerNorm(image.shape[1:]))
                added.append(as_module("hidden_nonlinearity", hidden_nonlinearity))
                if max_pool:
                    added.append(nn.MaxPool2d(pools[i], pool_steps[i]))
                    image = added[-1](image)
            self.layers.extend(added)
        size = math.prod(image.shape)
        self.final: nn.Linear | None = None
        if spec.output_space is None:
            everything = gymnasium.spaces.Box(-np.inf, np.inf, (size,))
            spec = InOutSpec(spec.input_space, everything)
        else:
            self.final = nn.Linear(size, spec.output_space.shape[0])  # type: ignore[index]
        self.spec = spec

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images, shape (N, *), or one of them, to shape (N, outputs)."""
        x = x.reshape(-1, *self.spec.input_space.shape)  # type: ignore[misc]
        if self._scale != 1.0:
            x = x * self._scale
        x = self.layers(x.permute(0, 3, 1, 2) if self._channels_last else x)
        x = (x.permute(0, 2, 3, 1) if self._channels_last else x).flatten(1)
        return x if self.final is None else self.final(x)


class DiscreteCNNModule(nn.Module):
    """Look at images through convolutions, then through a perceptron with an output per action.

    Args:
        spec: images, and the actions, a Discrete space.
        image_format: where the channels are.
        hidden_channels: of each convolution.
        hidden_sizes: units of each fully connected hidden layer.
        cnn_hidden_nonlinearity: behind convolutions.
        mlp_hidden_nonlinearity: behind fully connected layers, and before the first.
        hidden_w_init: fills a weight in place.
        hidden_b_init: fills a bias in place.
        output_nonlinearity: applied to the outputs.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what each layer gives.
        convolutions: `kernel_sizes`, `strides` and other options of CNNModule.
    """

    def __init__(
        self,
        spec: InOutSpec,
        image_format: ImageFormat,
        *,
        hidden_channels: Sequence[int],
        hidden_sizes: Sequence[int] = (32, 32),
        cnn_hidden_nonlinearity: Nonlinearity = nn.ReLU,
        mlp_hidden_nonlinearity: Nonlinearity = nn.ReLU,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
        **convolutions: Any,
    ) -> None:
        super().__init__()
        cnn = CNNModule(
            InOutSpec(spec.input_space, None),  # type: ignore[arg-type]
            image_format,
            hidden_channels,
            hidden_nonlinearity=cnn_hidden_nonlinearity,
            hidden_w_init=hidden_w_init,
            hidden_b_init=hidden_b_init,
            layer_normalization=layer_normalization,
            **convolutions,
        )
        mlp = MLP(
            int(gymnasium.spaces.flatdim(cnn.spec.output_space)),
            int(gymnasium.spaces.flatdim(spec.output_space)),
            hidden_sizes,
            mlp_hidden_nonlinearity,
            hidden_w_init,
            hidden_b_init,
            output_nonlinearity,
            output_w_init,
            output_b_init,
            layer_normalization,
        )
        between = as_module("mlp_hidden_nonlinearity", mlp_hidden_nonlinearity)
        self.layers = nn.Sequential(cnn, between, mlp)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map images, shape (N, *), to shape (N, actions)."""
        outputs: torch.Tensor = self.layers(inputs)
        return outputs


def _check_spaces(spec: InOutSpec, image_format: str) -> None:
    if image_format not in ("NHWC", "NCHW"):
        raise ValueError(f"CNNModule: image_format must be 'NHWC' or 'NCHW', got {image_format!r}")
    for name, space, dimensions in (
        ("input", spec.input_space, 3),
        ("output", spec.output_space, 1),
    ):
        is_none = space is None and name == "output"
        if not is_none and len(getattr(space, "shape", None) or ()) != dimensions:
            raise ValueError(
                f"CNNModule: {name}_space must be a Box of {dimensions} dimensions, got {space!r}"
            )
