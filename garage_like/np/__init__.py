"""Policies, baselines and algorithms in NumPy alone, and what acts for other backends."""
