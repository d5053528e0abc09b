"""Environments: gymnasium's, two of our own, and wrappers around them."""

from garage_like.envs.gym_env import GymEnv

__all__ = ["GymEnv"]
