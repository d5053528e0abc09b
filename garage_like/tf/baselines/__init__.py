"""Baselines in TensorFlow."""

from garage_like.tf.baselines.continuous_mlp_baseline import ContinuousMLPBaseline
from garage_like.tf.baselines.gaussian_mlp_baseline import GaussianMLPBaseline
from garage_like.tf.baselines.mlp_baseline import MLPBaseline

__all__ = ["ContinuousMLPBaseline", "GaussianMLPBaseline", "MLPBaseline"]
