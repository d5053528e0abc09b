"""TanhGaussian: a normal distribution squashed into bounds."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.distributions import Distribution, constraints

Shape = torch.Size | list[int] | tuple[int, ...]

_EDGE = 1.0 - 1e-6


class TanhGaussian(Distribution):
    """Draw a = centre + scale * tanh(u), where u is normally distributed.

    Densities are those of a, so they change with the units of the actions. The entropy has no
    closed form: estimate it by -log_prob of samples.

    Args:
        mean: shape (N, K), of u.
        log_std: shape (N, K), natural logarithm of the standard deviations of u.
        centre: shape (K,).
        scale: shape (K,), positive.
    """

    arg_constraints = {"mean_of_u": constraints.real_vector, "log_std": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, mean: torch.Tensor, log_std: torch.Tensor, centre: torch.Tensor, scale: torch.Tensor
    ) -> None:
        self.mean_of_u = mean
        self.log_std = log_std
        self.centre = centre
        self.scale = scale
        super().__init__(mean.shape[:-1], mean.shape[-1:], validate_args=False)

    @property
    def mode(self) -> torch.Tensor:
        """What the mean of u becomes, shape (N, K): not quite the mode, but what is used as it."""
        return self.centre + self.scale * torch.tanh(self.mean_of_u)

    @property
    def mean(self) -> torch.Tensor:
        """What the mean of u becomes, shape (N, K)."""
        return self.mode

    def rsample(self, sample_shape: Shape = ()) -> torch.Tensor:
        """Draw differentiably from torch's generator, shape (*sample_shape, N, K)."""
        return self.rsample_with_pre_tanh_value(sample_shape)[1]

    def rsample_with_pre_tanh_value(
        self, sample_shape: Shape = ()
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw differentiably; return u and a."""
        noise = torch.randn(*sample_shape, *self.mean_of_u.shape, device=self.mean_of_u.device)
        u = self.mean_of_u + noise * self.log_std.exp()
        return u, self.centre + self.scale * torch.tanh(u)

    def sample_with_pre_tanh_value(
        self, sample_shape: Shape = ()
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw without gradients; return u and a."""
        with torch.no_grad():
            return self.rsample_with_pre_tanh_value(sample_shape)

    def rsample_with_log_prob(self, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Turn standard normal noise into samples, differentiably.

        Args:
            noise: shape (N, K).

        Returns:
            Samples, shape (N, K), and their log-densities, shape (N,).
        """
        u = self.mean_of_u + noise * self.log_std.exp()
        log_prob = self._log_prob_of_u(u, noise)
        return self.centre + self.scale * torch.tanh(u), log_prob

    def log_prob(
        self, value: torch.Tensor, pre_tanh_value: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the log-density, shape (N,).

        Args:
            value: a, shape (N, K).
            pre_tanh_value: u, if it is known: where tanh is nearly 1, it has more digits.
        """
        u = pre_tanh_value
        if u is None:
            u = torch.atanh(((value - self.centre) / self.scale).clamp(-_EDGE, _EDGE))
        return self._log_prob_of_u(u, (u - self.mean_of_u) * torch.exp(-self.log_std))

    def _log_prob_of_u(self, u: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Compute log N(u) - log |da / du|, where z is u in standard deviations."""
        # log(1 - tanh(u)^2) in a form that does not lose its digits where tanh is nearly 1.
        log_slope = 2.0 * (math.log(2.0) - u - torch.nn.functional.softplus(-2.0 * u))
        constant = 0.5 * math.log(2.0 * math.pi)
        terms = -0.5 * z.square() - self.log_std - constant - log_slope - self.scale.log()
        return terms.sum(-1)


class TanhNormal(TanhGaussian):
    """Draw tanh(u), where u is normally distributed, as garage makes it.

    Args:
        loc: shape (N, K), mean of u.
        scale: shape (N, K), standard deviations of u.
    """

    def __init__(self, loc: torch.Tensor, scale: torch.Tensor) -> None:
        ones = torch.ones_like(loc[..., 0, :] if loc.ndim > 1 else loc)
        super().__init__(loc, scale.log().expand_as(loc), torch.zeros_like(ones), ones)

    @property
    def variance(self) -> torch.Tensor:
        """That of u, as in garage, shape (N, K)."""
        return torch.exp(2.0 * self.log_std)

    def entropy(self) -> torch.Tensor:
        """Compute that of u, as in garage, shape (N,), in nats."""
        return (self.log_std + 0.5 * math.log(2.0 * math.pi * math.e)).sum(-1)

    def expand(self, batch_shape: Any, _instance: Any = None) -> TanhNormal:
        """Return the same for each of more rows, shape (*batch_shape, K)."""
        shape = torch.Size(batch_shape) + self.event_shape
        return TanhNormal(self.mean_of_u.expand(shape), self.log_std.exp().expand(shape))

    def __repr__(self) -> str:
        """Return the name alone, as garage's does."""
        return type(self).__name__
