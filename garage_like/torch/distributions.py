"""Action distributions: torch's own, without the checks and broadcasts that a small update feels.

They are `torch.distributions.Distribution`s, so `kl_divergence` and code made for torch's work.
"""

from __future__ import annotations

import math

import torch
from torch.distributions import Distribution, constraints, register_kl

from garage_like.torch.tanh_gaussian import TanhNormal as TanhNormal


class Categorical(torch.distributions.Categorical):
    """Choose among K categories.

    Args:
        logits: shape (N, K), log-probabilities up to a constant for each row.
    """

    def __init__(self, logits: torch.Tensor) -> None:
        self.logits = self._param = torch.log_softmax(logits, dim=-1)
        self._num_events = logits.shape[-1]
        Distribution.__init__(self, logits.shape[:-1], validate_args=False)

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return log p(value), shape (N,), for categories of shape (N,), int64."""
        return self.logits.gather(-1, value.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> torch.Tensor:
        """Return -sum p log p, shape (N,), in nats."""
        return -(self.logits.exp() * self.logits).sum(-1)


class DiagonalGaussian(Distribution):
    """Draw K independent normal numbers.

    Args:
        mean: shape (N, K).
        log_std: shape (K,) or (N, K), natural logarithm of the standard deviations.
    """

    arg_constraints = {"mean": constraints.real_vector, "log_std": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, mean: torch.Tensor, log_std: torch.Tensor) -> None:
        self._mean = mean
        self.log_std = log_std
        super().__init__(mean.shape[:-1], mean.shape[-1:], validate_args=False)

    @property
    def mean(self) -> torch.Tensor:
        """Mean, shape (N, K)."""
        return self._mean

    @property
    def mode(self) -> torch.Tensor:
        """The most likely value, shape (N, K)."""
        return self._mean

    @property
    def stddev(self) -> torch.Tensor:
        """Standard deviation, shape (N, K)."""
        return self.log_std.exp().expand_as(self._mean)

    @property
    def variance(self) -> torch.Tensor:
        """Variance, shape (N, K)."""
        return self.stddev.square()

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return log p(value), shape (N,), for values of shape (N, K)."""
        z = (value - self._mean) * torch.exp(-self.log_std)
        constant = 0.5 * math.log(2.0 * math.pi) * self._mean.shape[-1]
        return -(0.5 * z.square() + self.log_std).sum(-1) - constant

    def entropy(self) -> torch.Tensor:
        """Return the differential entropy, shape (N,), in nats."""
        log_std = self.log_std.expand_as(self._mean)
        return (log_std + 0.5 * math.log(2.0 * math.pi * math.e)).sum(-1)

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> torch.Tensor:
        """Draw differentiably from torch's generator, shape (*sample_shape, N, K)."""
        noise = torch.randn(*sample_shape, *self._mean.shape, device=self._mean.device)
        return self._mean + noise * self.log_std.exp()


@register_kl(DiagonalGaussian, DiagonalGaussian)
def _kl_of_gaussians(p: DiagonalGaussian, q: DiagonalGaussian) -> torch.Tensor:
    """Compute KL(p || q) = sum log(s_q / s_p) + (s_p^2 + (m_p - m_q)^2) / (2 s_q^2) - 1/2."""
    squared = torch.exp(2.0 * p.log_std) + (p.mean - q.mean).square()
    terms = q.log_std - p.log_std + 0.5 * squared * torch.exp(-2.0 * q.log_std) - 0.5
    return terms.sum(-1)


@register_kl(Categorical, Categorical)
def _kl_of_categoricals(p: Categorical, q: Categorical) -> torch.Tensor:
    """Compute KL(p || q) = sum p (log p - log q)."""
    return (p.logits.exp() * (p.logits - q.logits)).sum(-1)
