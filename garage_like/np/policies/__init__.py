"""Policies in NumPy, for algorithms that need no gradient."""

from garage_like.algos.uniform_random_policy import UniformRandomPolicy
from garage_like.interfaces import Policy
from garage_like.np.policies.categorical_mlp_policy import CategoricalMLPPolicy
from garage_like.np.policies.continuous_mlp_policy import ContinuousMLPPolicy
from garage_like.np.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.np.policies.scripted_policy import FixedPolicy, ScriptedPolicy
from garage_like.np.policies.tabular_argmax_policy import TabularArgmaxPolicy
from garage_like.np.policies.vector_policy import VectorPolicy

__all__ = [
    "Policy",
    "CategoricalMLPPolicy",
    "ContinuousMLPPolicy",
    "FixedPolicy",
    "GaussianMLPPolicy",
    "ScriptedPolicy",
    "TabularArgmaxPolicy",
    "UniformRandomPolicy",
    "VectorPolicy",
]
