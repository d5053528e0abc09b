"""Policies in NumPy."""
