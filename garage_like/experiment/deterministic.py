"""Seed an experiment: what it computes follows from the seed alone."""

from garage_like.seeding import get_seed, set_seed

__all__ = ["get_seed", "set_seed"]
