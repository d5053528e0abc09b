"""Environments that are pure functions, and how the trainer sees one."""

from garage_like.jax.envs.cart_pole import CartPole
from garage_like.jax.envs.functional import FunctionalEnv, Transition, transition
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.envs.pendulum import Pendulum

__all__ = ["CartPole", "FunctionalEnv", "JaxEnv", "Pendulum", "Transition", "transition"]
