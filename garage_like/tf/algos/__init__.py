"""Algorithms in TensorFlow."""

from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.tnpg import TNPG
from garage_like.tf.algos.trpo import TRPO
from garage_like.tf.algos.vpg import VPG

__all__ = ["PPO", "TNPG", "TRPO", "VPG"]
