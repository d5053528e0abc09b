"""Algorithms in JAX."""

from garage_like.jax.algos.dqn import DQN
from garage_like.jax.algos.ppo import PPO
from garage_like.jax.algos.sac import SAC

__all__ = ["DQN", "PPO", "SAC"]
