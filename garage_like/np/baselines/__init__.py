"""Baselines in NumPy, for algorithms of every backend."""

from garage_like.interfaces import Baseline
from garage_like.np.baselines.linear_feature_baseline import LinearFeatureBaseline
from garage_like.np.baselines.linear_multi_feature_baseline import LinearMultiFeatureBaseline
from garage_like.np.baselines.zero_baseline import ZeroBaseline

__all__ = ["Baseline", "LinearFeatureBaseline", "LinearMultiFeatureBaseline", "ZeroBaseline"]
