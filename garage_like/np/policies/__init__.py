"""Policies in NumPy, for algorithms that need no gradient."""

from garage_like.np.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.np.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.np.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.np.policies.tabular_argmax_policy import TabularArgmaxPolicy
from garage_like.np.policies.vector_policy import VectorPolicy

__all__ = [
    "CategoricalMLPPolicy",
    "ContinuousMLPPolicy",
    "GaussianMLPPolicy",
    "TabularArgmaxPolicy",
    "VectorPolicy",
]
