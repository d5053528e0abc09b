"""Environments: gymnasium's, two of our own, and wrappers around them."""

from garage_like.envs.grid_world_env import GridWorldEnv
from garage_like.envs.gym_env import GymEnv
from garage_like.envs.normalized_env import NormalizedEnv, normalize
from garage_like.envs.point_env import PointEnv
from garage_like.envs.rl2_env import RL2Env
from garage_like.envs.wrapper import Wrapper

__all__ = ["GridWorldEnv", "GymEnv", "NormalizedEnv", "PointEnv", "RL2Env", "Wrapper", "normalize"]
