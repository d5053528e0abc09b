"""Action distributions: what policies return, inside a trace or outside."""

from __future__ import annotations

import math
from typing import Protocol, Self

from garage_like.tf.quiet_import import tf


class Distribution(Protocol):
    """What on-policy algorithms ask of a policy's distribution over actions."""

    def log_prob(self, value: tf.Tensor) -> tf.Tensor:
        """Return log p(value), shape (N,)."""

    def entropy(self) -> tf.Tensor:
        """Return the entropy, shape (N,), in nats."""

    def kl_divergence(self, other: Self) -> tf.Tensor:
        """Return KL(self || other), shape (N,), in nats."""

    def detached(self) -> Self:
        """Return the same distribution, through which no gradient flows."""


class Categorical:
    """Choose among K categories.

    Args:
        logits: shape (N, K), log-probabilities up to a constant for each row.

    Attributes:
        logits: shape (N, K), log-probabilities.
    """

    def __init__(self, logits: tf.Tensor) -> None:
        self.logits = tf.nn.log_softmax(logits)

    def log_prob(self, value: tf.Tensor) -> tf.Tensor:
        """Return log p(value), shape (N,), for categories of shape (N,), integers."""
        # A gather has a gradient whose sums TensorFlow may take in any order.
        chosen = tf.one_hot(value, tf.shape(self.logits)[-1], dtype=self.logits.dtype)
        return tf.reduce_sum(chosen * self.logits, -1)

    def entropy(self) -> tf.Tensor:
        """Return -sum p log p, shape (N,), in nats."""
        return -tf.reduce_sum(tf.exp(self.logits) * self.logits, -1)

    def kl_divergence(self, other: Categorical) -> tf.Tensor:
        """Compute KL(p || q) = sum p (log p - log q), shape (N,)."""
        return tf.reduce_sum(tf.exp(self.logits) * (self.logits - other.logits), -1)

    def detached(self) -> Categorical:
        """Return the same distribution, through which no gradient flows."""
        return Categorical(tf.stop_gradient(self.logits))


class DiagonalGaussian:
    """Draw K independent normal numbers.

    Args:
        mean: shape (N, K).
        log_std: shape (K,) or (N, K), natural logarithm of the standard deviations.
    """

    def __init__(self, mean: tf.Tensor, log_std: tf.Tensor) -> None:
        self.mean = mean
        self.log_std = tf.broadcast_to(log_std, tf.shape(mean))

    @property
    def stddev(self) -> tf.Tensor:
        """Standard deviation, shape (N, K)."""
        return tf.exp(self.log_std)

    def log_prob(self, value: tf.Tensor) -> tf.Tensor:
        """Return log p(value), shape (N,), for values of shape (N, K)."""
        z = (value - self.mean) * tf.exp(-self.log_std)
        terms = 0.5 * tf.square(z) + self.log_std + 0.5 * math.log(2.0 * math.pi)
        return -tf.reduce_sum(terms, -1)

    def entropy(self) -> tf.Tensor:
        """Return the differential entropy, shape (N,), in nats."""
        return tf.reduce_sum(self.log_std + 0.5 * math.log(2.0 * math.pi * math.e), -1)

    def kl_divergence(self, other: DiagonalGaussian) -> tf.Tensor:
        """Compute KL(p || q) = sum log(s_q / s_p) + (s_p^2 + (m_p - m_q)^2) / (2 s_q^2) - 1/2."""
        squared = tf.exp(2.0 * self.log_std) + tf.square(self.mean - other.mean)
        terms = 0.5 * squared * tf.exp(-2.0 * other.log_std) - 0.5
        return tf.reduce_sum(other.log_std - self.log_std + terms, -1)

    def detached(self) -> DiagonalGaussian:
        """Return the same distribution, through which no gradient flows."""
        return DiagonalGaussian(tf.stop_gradient(self.mean), tf.stop_gradient(self.log_std))
