"""Policies in TensorFlow."""

from garage_like.tf.policies.categorical_cnn_policy import CategoricalCNNPolicy
from garage_like.tf.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.tf.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.tf.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.tf.policies.policy import Policy
from garage_like.tf.policies.stochastic_policy import StochasticPolicy

__all__ = [
    "CategoricalCNNPolicy",
    "CategoricalMLPPolicy",
    "ContinuousMLPPolicy",
    "GaussianMLPPolicy",
    "Policy",
    "StochasticPolicy",
]
