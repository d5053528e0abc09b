"""Baselines in NumPy, for algorithms of every backend."""

from garage_like.np.baselines.linear_feature_baseline import LinearFeatureBaseline

__all__ = ["LinearFeatureBaseline"]
