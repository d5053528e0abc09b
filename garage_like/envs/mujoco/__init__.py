"""Families of tasks in MuJoCo, for meta-learning: gymnasium environments with `set_task`."""

from garage_like.envs.mujoco.half_cheetah_tasks import HalfCheetahDirEnv, HalfCheetahVelEnv

__all__ = ["HalfCheetahDirEnv", "HalfCheetahVelEnv"]
