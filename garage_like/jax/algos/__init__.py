"""Algorithms in JAX."""

from garage_like.jax.algos.ppo import PPO

__all__ = ["PPO"]
