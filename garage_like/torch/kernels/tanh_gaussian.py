"""TanhGaussianHead: normally distributed numbers squashed into bounds, and their gradients."""

from __future__ import annotations

import math

import numpy as np

from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy

_HALF_LOG_2_PI = 0.5 * math.log(2.0 * math.pi)


class TanhGaussianHead:
    """Take outputs as means and logarithms of standard deviations, side by side.

    Args:
        policy: whose bounds of actions and of standard deviations hold.
    """

    def __init__(self, policy: TanhGaussianMLPPolicy) -> None:
        self.centre = policy.action_centre.numpy()
        self.scale = policy.action_scale.numpy()
        self.lowest, self.highest = policy.log_std_range
        log_scale = float(np.log(self.scale).sum())
        self.constant = np.float32(_HALF_LOG_2_PI * len(self.scale) + log_scale)

    def sample(self, outputs: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions, shape (B, K), and their log-densities, shape (B,).

        Args:
            outputs: shape (B, 2 K).
            noise: shape (B, K), standard normal; remembered along with what `delta` needs.
        """
        count = noise.shape[1]
        unclipped = outputs[:, count:]
        log_std = np.minimum(np.maximum(unclipped, self.lowest), self.highest)
        self._is_inside = log_std == unclipped
        self.scaled_noise = np.exp(log_std)
        self.scaled_noise *= noise
        u = outputs[:, :count] + self.scaled_noise
        self._squashed = squashed = np.tanh(u)
        # log(1 - tanh(u)^2) in a form that does not lose its digits where tanh is nearly 1.
        terms = np.logaddexp(0.0, -2.0 * u)
        terms += u
        terms -= np.float32(math.log(2.0))
        terms *= 2.0
        terms -= 0.5 * noise * noise
        terms -= log_std
        log_probs: np.ndarray = np.add.reduce(terms, axis=1)
        log_probs -= self.constant
        return self.centre + self.scale * squashed, log_probs

    def delta(self, by_log_prob: float, by_value: np.ndarray) -> np.ndarray:
        """Return the gradient of sum(by_log_prob * log p) - sum(by_value * a) by the outputs.

        Uses d log p / du = 2 tanh(u), da / du = scale * (1 - tanh(u)^2) and, for fixed u,
        d log p / d log std = -1.

        Args:
            by_log_prob: the same for all rows.
            by_value: shape (B, K).

        Returns:
            Shape (B, 2 K).
        """
        squashed = self._squashed
        by_u = squashed * np.float32(2.0 * by_log_prob)
        by_u -= by_value * self.scale * (1.0 - squashed * squashed)
        by_log_std = by_u * self.scaled_noise
        by_log_std -= np.float32(by_log_prob)
        by_log_std *= self._is_inside
        return np.concatenate((by_u, by_log_std), axis=1)
