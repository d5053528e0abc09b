"""Encoders in TensorFlow."""

from garage_like.tf.embeddings.gaussian_mlp_encoder import GaussianMLPEncoder

__all__ = ["GaussianMLPEncoder"]
