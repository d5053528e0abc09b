"""What convolutions are asked for, checked alike for each library that computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import gymnasium
from gymnasium import spaces

ImageFormat = Literal["NHWC", "NCHW"]
Kernel = int | tuple[int, int]
"""Height and width, or both in one number."""


def image_shape(space: gymnasium.Space, image_format: str) -> tuple[int, int, int]:
    """Return height, width and channels of the images in a space.

    Raises:
        ValueError: if there are no images in it.
    """
    if image_format not in ("NHWC", "NCHW"):
        raise ValueError(f"CNN: image_format must be 'NHWC' or 'NCHW', got {image_format!r}")
    if not isinstance(space, spaces.Box) or len(space.shape) not in (2, 3):
        raise ValueError(f"CNN: observations must be images of 2 or 3 dimensions, got {space!r}")
    shape = space.shape if len(space.shape) == 3 else (*space.shape, 1)
    if image_format == "NCHW" and len(space.shape) == 3:
        shape = (*shape[1:], shape[0])
    height, width, channels = shape
    return height, width, channels


def check_convolutions(
    hidden_channels: Sequence[int],
    kernel_sizes: Sequence[Kernel],
    strides: Sequence[int],
    paddings: Sequence[Any],
) -> None:
    """Raise ValueError unless there is one entry for each convolution."""
    numbers = {len(hidden_channels), len(kernel_sizes), len(strides), len(paddings)}
    if len(numbers) != 1 or numbers == {0}:
        raise ValueError(
            "CNN: hidden_channels, kernel_sizes, strides and paddings must have one entry for "
            f"each convolution, got {hidden_channels!r}, {kernel_sizes!r}, {strides!r} and "
            f"{paddings!r}"
        )


def check_what_is_left(
    height: int, width: int, space: gymnasium.Space, kernel: Kernel, stride: int
) -> None:
    """Raise ValueError if a convolution leaves nothing of an image."""
    if height < 1 or width < 1:
        raise ValueError(
            f"CNN: nothing is left of images of shape {space.shape} behind a convolution "
            f"with kernel size {kernel} and stride {stride}; use fewer or smaller ones"
        )
