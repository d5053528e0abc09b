"""Weights and tables out to files of other programs."""
