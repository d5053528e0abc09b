"""Baselines in TensorFlow."""
