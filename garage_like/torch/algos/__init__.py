"""Algorithms in torch."""

from garage_like.torch.algos.ppo import PPO
from garage_like.torch.algos.trpo import TRPO
from garage_like.torch.algos.vpg import VPG

__all__ = ["PPO", "TRPO", "VPG"]
