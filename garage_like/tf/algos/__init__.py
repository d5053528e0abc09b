"""Algorithms in TensorFlow."""
