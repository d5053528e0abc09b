"""CNN: images in any layout."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from garage_like.torch.modules import CNN

OPTIONS = {
    "hidden_channels": (4, 6),
    "kernel_sizes": (3, 2),
    "strides": (2, 1),
    "hidden_sizes": (5,),
}


def flat(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.reshape(len(images), -1).astype(np.float32))


def test_both_layouts_see_the_same_image():
    images = np.random.default_rng(0).random((2, 3, 9, 7)).astype(np.float32)
    torch.manual_seed(0)
    first = CNN(spaces.Box(0, 1, (3, 9, 7)), 2, image_format="NCHW", **OPTIONS)
    torch.manual_seed(0)
    last = CNN(spaces.Box(0, 1, (9, 7, 3)), 2, image_format="NHWC", **OPTIONS)
    assert torch.allclose(first(flat(images)), last(flat(images.transpose(0, 2, 3, 1))))


def test_outputs_are_those_of_the_layers():
    network = CNN(spaces.Box(0, 1, (3, 9, 7)), 2, image_format="NCHW", **OPTIONS)
    images = np.random.default_rng(0).random((2, 3, 9, 7)).astype(np.float32)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    x = torch.from_numpy(images)
    for layer in convolutions:
        x = torch.relu(layer(x))
    assert torch.allclose(network(flat(images)), network.mlp(x.flatten(1)))


def test_bytes_are_scaled_to_one():
    images = np.full((1, 9, 7, 3), 255, np.uint8)
    torch.manual_seed(0)
    of_bytes = CNN(spaces.Box(0, 255, (9, 7, 3), np.uint8), 2, **OPTIONS)
    torch.manual_seed(0)
    of_floats = CNN(spaces.Box(0, 1, (9, 7, 3)), 2, **OPTIONS)
    assert torch.allclose(of_bytes(flat(images)), of_floats(flat(images / 255.0)), atol=1e-6)


@pytest.mark.parametrize("image_format", ["NHWC", "NCHW"])
def test_image_without_channels_has_one(image_format):
    network = CNN(spaces.Box(0, 1, (9, 7)), 2, image_format=image_format, **OPTIONS)
    assert network(torch.zeros(4, 63)).shape == (4, 2)


def test_paddings_keep_what_is_at_the_edge():
    options = {**OPTIONS, "paddings": (1, 1)}
    network = CNN(spaces.Box(0, 1, (9, 7, 1)), 2, **options)
    assert network(torch.zeros(4, 63)).shape == (4, 2)


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        (spaces.Box(0, 1, (9, 7)), {"strides": (1,)}, "one entry for each convolution"),
        (spaces.Box(0, 1, (9, 7)), {"kernel_sizes": (9, 9)}, "nothing is left of images"),
        (spaces.Box(0, 1, (9,)), {}, "must be images of 2 or 3 dimensions"),
        (spaces.Discrete(3), {}, "must be images of 2 or 3 dimensions"),
        (spaces.Box(0, 1, (9, 7)), {"image_format": "CHW"}, "must be 'NHWC' or 'NCHW'"),
    ],
)
def test_contradictions_are_refused(space, options, message):
    with pytest.raises(ValueError, match=message):
        CNN(space, 2, **{**OPTIONS, **options})


def test_pooling_and_padding_are_torchs():
    options = {**OPTIONS, "paddings": 1, "padding_mode": "reflect", "pool_shape": (2, 1)}
    network = CNN(spaces.Box(0, 1, (1, 9, 7)), 2, image_format="NCHW", **options)
    images = np.random.default_rng(0).random((2, 1, 9, 7)).astype(np.float32)
    x = torch.from_numpy(images)
    for layer in [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]:
        padded = torch.nn.functional.pad(x, (1, 1, 1, 1), "reflect")
        x = torch.nn.functional.conv2d(padded, layer.weight, layer.bias, layer.stride).relu()
        x = torch.nn.functional.max_pool2d(x, (2, 1), 1)
    assert torch.allclose(network(flat(images)), network.mlp(x.flatten(1)), atol=1e-6)
