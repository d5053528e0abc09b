"""Algorithms in TensorFlow."""

from garage_like.tf.algos.ddpg import DDPG
from garage_like.tf.algos.ddqn import DDQN
from garage_like.tf.algos.dqn import DQN
from garage_like.tf.algos.erwr import ERWR
from garage_like.tf.algos.npo import NPO
from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.reps import REPS
from garage_like.tf.algos.rl2 import RL2 as RL2
from garage_like.tf.algos.rl2 import RL2PPO, RL2TRPO
from garage_like.tf.algos.td3 import TD3
from garage_like.tf.algos.te import TENPO, TEPPO
from garage_like.tf.algos.tnpg import TNPG
from garage_like.tf.algos.trpo import TRPO
from garage_like.tf.algos.vpg import VPG

__all__ = [
    "DDPG",
    "DDQN",
    "DQN",
    "ERWR",
    "NPO",
    "PPO",
    "REPS",
    "RL2PPO",
    "RL2TRPO",
    "TD3",
    "TENPO",
    "TEPPO",
    "TNPG",
    "TRPO",
    "VPG",
]
