"""Baselines that need no gradient."""
