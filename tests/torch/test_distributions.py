import pytest
import torch
from torch import distributions
from torch.distributions import kl_divergence
from torch.testing import assert_close

from garage_like.torch.distributions import Categorical, DiagonalGaussian


def logits(seed):
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))


def gaussian(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, 3, generator=generator), 0.5 * torch.randn(3, generator=generator)


def test_a_categorical_distribution_says_what_torchs_does():
    ours, torchs = Categorical(logits(1)), distributions.Categorical(logits=logits(1))
    values = torch.tensor([0, 1, 2, 3, 1])
    assert_close(ours.log_prob(values), torchs.log_prob(values))
    assert_close(ours.entropy(), torchs.entropy())
    assert_close(ours.probs, torchs.probs)
    other = Categorical(logits(2)), distributions.Categorical(logits=logits(2))
    assert_close(kl_divergence(ours, other[0]), kl_divergence(torchs, other[1]))


def test_a_gaussian_distribution_says_what_torchs_does():
    mean, log_std = gaussian(1)
    ours = DiagonalGaussian(mean, log_std)
    torchs = distributions.Independent(distributions.Normal(mean, log_std.exp()), 1)
    values = mean + torch.linspace(-2, 2, 15).view(5, 3)
    assert_close(ours.log_prob(values), torchs.log_prob(values))
    assert_close(ours.entropy(), torchs.entropy())
    assert_close(ours.stddev, torchs.stddev)
    assert_close(ours.variance, torchs.variance)
    other_mean, other_log_std = gaussian(2)
    other = distributions.Independent(distributions.Normal(other_mean, other_log_std.exp()), 1)
    assert_close(
        kl_divergence(ours, DiagonalGaussian(other_mean, other_log_std)),
        kl_divergence(torchs, other),
    )


@pytest.mark.parametrize("distribution", [Categorical(logits(1)), DiagonalGaussian(*gaussian(1))])
def test_divergence_from_itself_is_0(distribution):
    assert_close(kl_divergence(distribution, distribution), torch.zeros(5), atol=1e-6, rtol=0.0)


def test_gaussian_samples_can_be_differentiated():
    mean, log_std = (tensor.requires_grad_() for tensor in gaussian(1))
    samples = DiagonalGaussian(mean, log_std).rsample((7,))
    assert samples.shape == (7, 5, 3)
    samples.sum().backward()
    assert_close(mean.grad, torch.full((5, 3), 7.0))
    assert log_std.grad is not None
