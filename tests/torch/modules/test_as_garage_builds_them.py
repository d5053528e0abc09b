"""Networks that programs written for garage put together themselves."""

import pickle

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from garage_like import InOutSpec
from garage_like.torch.distributions import TanhNormal
from garage_like.torch.modules import (
    CNNModule,
    DiscreteCNNModule,
    GaussianMLPIndependentStdModule,
    GaussianMLPModule,
    GaussianMLPTwoHeadedModule,
    MLPModule,
    MultiHeadedMLPModule,
)
from garage_like.torch.optimizers import DifferentiableSGD

ONES = {"hidden_w_init": nn.init.ones_, "output_w_init": nn.init.ones_, "hidden_nonlinearity": None}
GAUSSIANS = [GaussianMLPModule, GaussianMLPIndependentStdModule, GaussianMLPTwoHeadedModule]
IMAGES = spaces.Box(0, 255, (9, 7, 3), np.uint8)


@pytest.mark.parametrize("kind", GAUSSIANS)
def test_a_gaussian_has_the_mean_and_deviation_of_its_networks(kind):
    module = kind(2, 2, hidden_sizes=(2, 2), init_std=2.0, **ONES)
    given = module(torch.ones(5, 2))
    assert given.mean.tolist() == [[8.0, 8.0]] * 5
    assert given.batch_shape == (5,)
    if kind is GaussianMLPModule:
        assert torch.allclose(given.stddev, torch.full((5, 2), 2.0))
    if kind is GaussianMLPTwoHeadedModule:  # the second head adds what the first one gives
        assert torch.allclose(given.stddev, 2.0 * torch.exp(given.mean))
    limited = kind(2, 1, std_parameterization="softplus", min_std=0.5, max_std=0.5)
    std = limited(torch.randn(3, 2)).stddev
    assert torch.allclose(std, torch.full((3, 1), float(np.log1p(np.exp(0.5)))))
    assert isinstance(kind(2, 2, normal_distribution_cls=TanhNormal)(torch.ones(1, 2)), TanhNormal)
    fixed = {name for name, _ in kind(2, 2, learn_std=False).named_parameters()}
    assert "log_std" not in fixed
    with pytest.raises(NotImplementedError, match="'exp' or 'softplus'"):
        kind(2, 2, std_parameterization="unknown")
    with pytest.raises(ValueError, match="min_std must be positive, got 0"):
        kind(2, 2, min_std=0)


def test_how_weights_began_is_not_kept():
    module = GaussianMLPIndependentStdModule(2, 2, std_hidden_w_init=lambda w: nn.init.ones_(w))
    twin = pickle.loads(pickle.dumps(module))
    assert twin(torch.ones(1, 2)).mean.tolist() == module(torch.ones(1, 2)).mean.tolist()


def test_heads_share_their_hidden_layers():
    inits = [nn.init.zeros_, nn.init.ones_]
    module = MultiHeadedMLPModule(
        2, 3, [1, 4], (5,), output_b_inits=inits, output_w_inits=[inits[0]]
    )
    first, second = module(torch.randn(2, 3))
    assert (first.tolist(), second.tolist()) == ([[0.0]] * 2, [[1.0] * 4] * 2)
    assert len(list(module.parameters())) == 2 + 2 * 2
    with pytest.raises(ValueError, match="one for each of 3 heads"):
        MultiHeadedMLPModule(3, 3, [1, 4], (5,))


def test_convolutions_give_what_comes_out_of_them():
    module = CNNModule(InOutSpec(IMAGES, None), "NHWC", (4,), kernel_sizes=3, strides=2)
    rows = module(torch.full((2, 9, 7, 3), 255.0))
    assert rows.shape == (2, *module.spec.output_space.shape) == (2, 4 * 4 * 3)
    scaled = module.layers(torch.ones(2, 3, 9, 7)).permute(0, 2, 3, 1).flatten(1)
    assert torch.allclose(rows, scaled)
    pooled = {"max_pool": True, "pool_shape": 2, "layer_normalization": True}
    discrete = DiscreteCNNModule(
        InOutSpec(IMAGES, spaces.Discrete(5)),
        "NHWC",
        hidden_channels=(4, 2),
        kernel_sizes=(3, 2),
        strides=1,
        **pooled,
    )
    assert discrete(torch.ones(2, 9, 7, 3)).shape == (2, 5)
    final = CNNModule(
        InOutSpec(IMAGES, spaces.Box(-1, 1, (6,))), "NHWC", (2,), kernel_sizes=2, strides=1
    )
    assert final(torch.ones(9, 7, 3)).shape == (1, 6)


@pytest.mark.parametrize(
    ("spec", "image_format", "told"),
    [
        (InOutSpec(spaces.Box(0, 1, (3,)), None), "NCHW", "input_space must be a Box of 3"),
        (InOutSpec(IMAGES, spaces.Discrete(2)), "NHWC", "output_space must be a Box of 1"),
        (InOutSpec(IMAGES, None), "HW", "image_format must be"),
    ],
)
def test_other_spaces_are_refused(spec, image_format, told):
    with pytest.raises(ValueError, match=told):
        CNNModule(spec, image_format, (2,), kernel_sizes=2, strides=1)


def test_pooling_says_what_of():
    with pytest.raises(ValueError, match="max_pool=True needs a pool_shape"):
        CNNModule(InOutSpec(IMAGES, None), "NHWC", (2,), kernel_sizes=2, strides=1, max_pool=True)


def test_channels_in_the_wrong_place_are_suspected():
    with pytest.warns(UserWarning, match="9 channels"):
        CNNModule(InOutSpec(IMAGES, None), "NCHW", (2,), kernel_sizes=2, strides=1)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def test_a_step_can_be_differentiated_through():
    layer = nn.Linear(1, 1, bias=False)
    before, optimizer = layer.weight, DifferentiableSGD(layer, lr=0.1)
    nn.init.ones_(before)
    layer(torch.ones(1, 1)).square().sum().backward(create_graph=True)
    optimizer.step()
    assert torch.allclose(layer(torch.ones(1, 1)), torch.tensor([[0.8]]))
    (slope,) = torch.autograd.grad(layer(torch.ones(1, 1)).sum(), before)
    assert slope.item() == pytest.approx(1.0 - 0.1 * 2.0)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def test_steps_follow_each_other():
    layer = nn.Linear(1, 1, bias=False)
    before, optimizer = layer.weight, DifferentiableSGD(layer, lr=0.1)
    nn.init.ones_(before)
    for _ in range(2):
        optimizer.set_grads_none()
        layer(torch.ones(1, 1)).square().sum().backward(create_graph=True)
        optimizer.step()
    assert layer.weight.item() == pytest.approx(0.8**2)
    (slope,) = torch.autograd.grad(layer.weight, before)
    assert slope.item() == pytest.approx(0.8**2)


def test_what_is_no_nonlinearity_is_a_wrong_value_too():
    with pytest.raises(ValueError, match="hidden_nonlinearity must be"):
        MLPModule(1, 1, hidden_nonlinearity="tanh")
