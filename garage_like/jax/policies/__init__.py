"""Policies whose weights JAX trains and NumPy acts on: loading one needs no JAX."""

from garage_like.jax.policies.mlp_policies import (
    CategoricalMLPPolicy,
    DiscreteQFArgmaxPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)

__all__ = [
    "CategoricalMLPPolicy",
    "DiscreteQFArgmaxPolicy",
    "GaussianMLPPolicy",
    "TanhGaussianMLPPolicy",
]
