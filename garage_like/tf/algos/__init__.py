"""Algorithms in TensorFlow."""

from garage_like.tf.algos.erwr import ERWR
from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.reps import REPS
from garage_like.tf.algos.rl2 import RL2PPO, RL2TRPO
from garage_like.tf.algos.tnpg import TNPG
from garage_like.tf.algos.trpo import TRPO
from garage_like.tf.algos.vpg import VPG

__all__ = ["ERWR", "PPO", "REPS", "RL2PPO", "RL2TRPO", "TNPG", "TRPO", "VPG"]
