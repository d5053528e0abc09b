"""ContinuousMLPBaseline: a baseline fitted by least squares."""

from __future__ import annotations

from garage_like.tf.baselines.mlp_baseline import MLPBaseline
from garage_like.tf.quiet_import import tf


class ContinuousMLPBaseline(MLPBaseline):
    """Value observations by a multi-layer perceptron that is fitted by least squares.

    Its arguments are those of MLPBaseline.
    """

    def compute_loss(self, observations: tf.Tensor, returns: tf.Tensor) -> tf.Tensor:
        """Compute the mean of (G - V(s))^2.

        Args:
            observations: shape (N, D), flat.
            returns: shape (N,).
        """
        return tf.reduce_mean(tf.square(returns - self(observations)))
