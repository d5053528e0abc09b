"""CNN: images in any layout."""

import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_allclose

from garage_like.tf.modules import CNN

OPTIONS = {
    "hidden_channels": (4, 6),
    "kernel_sizes": (3, 2),
    "strides": (2, 1),
    "hidden_sizes": (5,),
}


def flat(images):
    return images.reshape(len(images), -1).astype(np.float32)


def make(*args, **options):
    np.random.seed(0)
    return CNN(*args, **{**OPTIONS, **options})


def test_both_layouts_see_the_same_image():
    images = np.random.default_rng(0).random((2, 3, 9, 7)).astype(np.float32)
    first = make(spaces.Box(0, 1, (3, 9, 7)), 2, image_format="NCHW")
    last = make(spaces.Box(0, 1, (9, 7, 3)), 2, image_format="NHWC")
    assert_allclose(first(flat(images)), last(flat(images.transpose(0, 2, 3, 1))), rtol=1e-5)


def test_a_convolution_is_a_product_with_each_window():
    network = make(spaces.Box(0, 1, (9, 7, 3)), 2)
    image = np.random.default_rng(0).random((1, 9, 7, 3)).astype(np.float32)
    for (kernel, bias), stride in zip(network.convolutions, (2, 1), strict=True):
        kernel, size = kernel.numpy(), kernel.shape[0]
        rows, columns = ((n - size) // stride + 1 for n in image.shape[1:3])
        image = np.array(
            [
                [
                    [
                        np.einsum("hwc,hwco->o", image[0, y : y + size, x : x + size], kernel)
                        for x in range(0, columns * stride, stride)
                    ]
                    for y in range(0, rows * stride, stride)
                ]
            ]
        )
        image = np.maximum(image + bias.numpy(), 0.0)
    expected = network.mlp(flat(image))
    first = np.random.default_rng(0).random((1, 9, 7, 3)).astype(np.float32)
    assert_allclose(network(flat(first)), expected, rtol=1e-4, atol=1e-6)


def test_bytes_are_scaled_to_one():
    images = np.full((1, 9, 7, 3), 255, np.uint8)
    of_bytes = make(spaces.Box(0, 255, (9, 7, 3), np.uint8), 2)
    of_floats = make(spaces.Box(0, 1, (9, 7, 3)), 2)
    assert_allclose(of_bytes(flat(images)), of_floats(flat(images / 255.0)), rtol=1e-5)


@pytest.mark.parametrize("image_format", ["NHWC", "NCHW"])
def test_image_without_channels_has_one(image_format):
    network = make(spaces.Box(0, 1, (9, 7)), 2, image_format=image_format)
    assert network(np.zeros((4, 63), np.float32)).shape == (4, 2)


def test_paddings_keep_what_is_at_the_edge():
    network = make(spaces.Box(0, 1, (9, 7, 1)), 2, paddings=(1, 1))
    assert network(np.zeros((4, 63), np.float32)).shape == (4, 2)


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
        make(space, 2, **options)


def test_same_padding_and_pooling_leave_what_tensorflow_leaves():
    options = {"paddings": "SAME", "pool_shape": (2, 2), "layer_normalization": True}
    network = make(spaces.Box(0, 1, (9, 7, 1)), 2, **options)  # 9x7, 5x4, 3x2, 3x2, 2x1
    assert network._flat_dim == 2 * 1 * 6
    assert network(np.zeros((4, 63), np.float32)).shape == (4, 2)


def test_the_largest_of_each_window_is_taken():
    options = {"hidden_channels": (1,), "kernel_sizes": ((1, 1),), "strides": 1}
    options |= {"pool_shape": (3, 1), "pool_strides": (3, 1), "hidden_w_init": np.ones}
    network = make(spaces.Box(0, 1, (9, 7, 1)), 1, **options, hidden_sizes=())
    image = np.random.default_rng(0).random((1, 3, 3, 7)).astype(np.float32)
    assert_allclose(network(flat(image)), network.mlp(image.max(axis=2).reshape(1, 21)), rtol=1e-6)


def test_an_unknown_word_for_paddings_is_refused():
    with pytest.raises(ValueError, match="paddings must be numbers, 'SAME' or 'VALID', got 'HALF'"):
        make(spaces.Box(0, 1, (9, 7, 1)), 2, paddings="HALF")
