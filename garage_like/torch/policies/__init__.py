"""Policies in torch."""

from garage_like.torch.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.torch.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.torch.policies.stochastic_policy import StochasticPolicy

__all__ = ["CategoricalMLPPolicy", "GaussianMLPPolicy", "StochasticPolicy"]
