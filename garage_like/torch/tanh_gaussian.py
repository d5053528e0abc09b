"""TanhGaussian: a normal distribution squashed into bounds."""

from __future__ import annotations

import math

import torch
from torch.distributions import Distribution, constraints

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

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> torch.Tensor:
        """Draw differentiably from torch's generator, shape (*sample_shape, N, K)."""
        noise = torch.randn(*sample_shape, *self.mean_of_u.shape, device=self.mean_of_u.device)
        return self.centre + self.scale * torch.tanh(self.mean_of_u + noise * self.log_std.exp())

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

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return the log-density, shape (N,), of values of shape (N, K)."""
        squashed = ((value - self.centre) / self.scale).clamp(-_EDGE, _EDGE)
        u = torch.atanh(squashed)
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
    def mean(self) -> torch.Tensor:
        """What the mean of u becomes, shape (N, K)."""
        return self.mode

    def rsample_with_pre_tanh_value(
        self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw differentiably; return u and tanh(u)."""
        noise = torch.randn(*sample_shape, *self.mean_of_u.shape, device=self.mean_of_u.device)
        u = self.mean_of_u + noise * self.log_std.exp()
        return u, torch.tanh(u)

    def sample_with_pre_tanh_value(
        self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw without gradients; return u and tanh(u)."""
        with torch.no_grad():
            return self.rsample_with_pre_tanh_value(sample_shape)

    def log_prob(
        self, value: torch.Tensor, pre_tanh_value: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the log-density, shape (N,).

        Args:
            value: tanh(u), shape (N, K).
            pre_tanh_value: u, if it is known: where tanh is nearly 1, it has more digits.
        """
        if pre_tanh_value is None:
            return super().log_prob(value)
        z = (pre_tanh_value - self.mean_of_u) * torch.exp(-self.log_std)
        return self._log_prob_of_u(pre_tanh_value, z)
