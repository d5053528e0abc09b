"""Environments: gymnasium's, two of our own, and wrappers around them.

`check_env` is loaded when it is first used: it saves and loads, which no environment needs.
"""

from typing import TYPE_CHECKING

from garage_like import lazy
from garage_like.envs.grid_world_env import GridWorldEnv
from garage_like.envs.gym_env import GymEnv
from garage_like.envs.meta_world import MetaWorldSetTaskEnv
from garage_like.envs.multi_env_wrapper import MultiEnvWrapper
from garage_like.envs.normalized_env import NormalizedEnv, NormalizedReward, normalize
from garage_like.envs.point_env import PointEnv
from garage_like.envs.rl2_env import RL2Env
from garage_like.envs.task_wrappers import TaskNameWrapper, TaskOnehotWrapper
from garage_like.envs.wrapper import Wrapper

if TYPE_CHECKING:
    from garage_like.snapshot.env_check import check_env as check_env

__getattr__, __dir__, _lazy = lazy.names(__name__)

__all__ = [
    "GridWorldEnv",
    "GymEnv",
    "MetaWorldSetTaskEnv",
    "MultiEnvWrapper",
    "NormalizedEnv",
    "NormalizedReward",
    "PointEnv",
    "RL2Env",
    "TaskNameWrapper",
    "TaskOnehotWrapper",
    "Wrapper",
    "check_env",
    "normalize",
]
