"""Algorithms that need no gradient."""
