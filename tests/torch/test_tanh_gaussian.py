"""TanhGaussian, against torch's own transformed distribution."""

import numpy as np
import pytest
import torch
from torch.distributions import AffineTransform, Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from garage_like.torch.tanh_gaussian import TanhGaussian

MEAN = torch.tensor([[0.3, -1.0], [2.0, 0.0]])
LOG_STD = torch.tensor([[-1.0, 0.2], [0.5, -2.0]])
CENTRE, SCALE = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5])


def ours() -> TanhGaussian:
    return TanhGaussian(MEAN, LOG_STD, CENTRE, SCALE)


def theirs() -> TransformedDistribution:
    base = Independent(Normal(MEAN, LOG_STD.exp()), 1)
    return TransformedDistribution(base, [TanhTransform(), AffineTransform(CENTRE, SCALE, 1)])


def test_density_is_that_of_the_transformed_normal():
    values = CENTRE + SCALE * torch.tensor([[0.5, -0.9], [0.99, 0.0]])
    assert torch.allclose(ours().log_prob(values), theirs().log_prob(values), atol=1e-4)


def test_sample_and_its_density_belong_together():
    noise = torch.tensor([[0.1, -0.5], [1.0, 2.0]])
    samples, log_probs = ours().rsample_with_log_prob(noise)
    u = MEAN + LOG_STD.exp() * noise
    assert torch.allclose(samples, CENTRE + SCALE * torch.tanh(u))
    assert torch.allclose(log_probs, theirs().log_prob(samples), atol=1e-3)


def test_density_far_out_is_finite_and_has_a_gradient():
    mean = torch.full((1, 2), 30.0, requires_grad=True)
    distribution = TanhGaussian(mean, torch.zeros(1, 2), CENTRE, SCALE)
    _, log_probs = distribution.rsample_with_log_prob(torch.zeros(1, 2))
    log_probs.sum().backward()
    assert torch.isfinite(log_probs).all()
    # log |da/du| falls by 2 for each unit of u out there, so the density rises by as much.
    assert torch.allclose(mean.grad, torch.full((1, 2), 2.0))


def test_samples_have_the_shape_asked_for_and_keep_within_bounds():
    torch.manual_seed(0)
    samples = ours().sample((1000,))
    assert samples.shape == (1000, 2, 2)
    assert ((samples - CENTRE).abs() <= SCALE).all()


def test_mode_is_the_squashed_mean():
    assert torch.allclose(ours().mode, CENTRE + SCALE * torch.tanh(MEAN))


def test_density_of_samples_integrates_to_one():
    grid = torch.linspace(-0.9999, 0.9999, 20001, dtype=torch.float64)[:, None]
    one = torch.ones(1, dtype=torch.float64)
    distribution = TanhGaussian(0.3 * one[None], -0.5 * one[None], 3.0 * one, 0.5 * one)
    density = distribution.log_prob(3.0 + 0.5 * grid).exp()
    assert np.trapezoid(density.numpy(), 0.5 * grid[:, 0].numpy()) == pytest.approx(1.0, abs=1e-3)
