"""Baselines in TensorFlow."""

from garage_like.tf.baselines.continuous_mlp_baseline import ContinuousMLPBaseline
from garage_like.tf.baselines.gaussian_cnn_baseline import GaussianCNNBaseline
from garage_like.tf.baselines.gaussian_mlp_baseline import GaussianMLPBaseline
from garage_like.tf.baselines.mlp_baseline import MLPBaseline
from garage_like.tf.baselines.network_baseline import NetworkBaseline

__all__ = [
    "ContinuousMLPBaseline",
    "GaussianCNNBaseline",
    "GaussianMLPBaseline",
    "MLPBaseline",
    "NetworkBaseline",
]
