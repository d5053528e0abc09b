"""HalfCheetahDirEnv and HalfCheetahVelEnv: a direction to run in, or a velocity to run at.

Finn et al. 2017, arXiv:1703.03400, section 5.3. Loading this needs the
extra `mujoco`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv

from garage_like import seeding

FASTEST = 2.0


class _HalfCheetahTasks(HalfCheetahEnv):
    """A half cheetah whose reward depends on its velocity and on the task.

    Wrap it in GymEnv, with a max_episode_length: episodes have no end of their own.

    Args:
        *args: arguments of gymnasium's HalfCheetahEnv, by position.
        task: as `sample_tasks` returns them; None for the first task.
        **options: arguments of gymnasium's HalfCheetahEnv, by name.
    """

    NAME: str
    FIRST: float
    INFO: str

    def __init__(self, *args: Any, task: dict[str, float] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._task = {self.NAME: self.FIRST}
        self._task_rng: np.random.Generator | None = None
        if task is not None:
            self.set_task(task)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made by: gymnasium's own knows nothing of the task."""
        return {**super().__getstate__(), "_task": self._task, "_task_rng": self._task_rng}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a copy by what `__getstate__` returned."""
        super().__setstate__(state)
        self._task, self._task_rng = state["_task"], state["_task_rng"]

    def set_task(self, task: dict[str, float]) -> None:
        """Change the task; takes effect at once.

        Raises:
            ValueError: if it is no task of this family.
        """
        if self.NAME not in task:
            raise ValueError(
                f"{type(self).__name__}.set_task: expected {{{self.NAME!r}: number}}, got {task!r}"
            )
        self._task = {self.NAME: float(task[self.NAME])}

    def sample_tasks(self, num_tasks: int) -> list[dict[str, float]]:
        """Draw tasks."""
        if self._task_rng is None:
            self._task_rng = seeding.stream(type(self).__name__)
        return [{self.NAME: self._draw(self._task_rng)} for _ in range(num_tasks)]

    def _draw(self, rng: np.random.Generator) -> float:
        raise NotImplementedError

    def _forward_reward(self, velocity: float) -> float:
        raise NotImplementedError

    def _get_rew(self, x_velocity: float, action: Any) -> tuple[float, dict[str, Any]]:
        forward, control = (
            self._forward_reward(float(x_velocity)),
            -float(self.control_cost(action)),
        )
        infos = {
            "reward_forward": forward,
            "reward_ctrl": control,
            self.INFO: self._task[self.NAME],
        }
        return forward + control, infos


class HalfCheetahDirEnv(_HalfCheetahTasks):
    """Run forward or backward: the reward is velocity times direction, less a cost of control.

    Args:
        *args: arguments of gymnasium's HalfCheetahEnv, by position.
        task: `{'direction': 1.0}` or `{'direction': -1.0}`; None for forward.
        **options: arguments of gymnasium's HalfCheetahEnv, by name.
    """

    NAME, FIRST, INFO = "direction", 1.0, "task_dir"

    def _draw(self, rng: np.random.Generator) -> float:
        return float(2 * rng.integers(2) - 1)

    def _forward_reward(self, velocity: float) -> float:
        return self._task[self.NAME] * velocity


class HalfCheetahVelEnv(_HalfCheetahTasks):
    """Run at a velocity: the reward is minus the distance from it, less a cost of control.

    Args:
        *args: arguments of gymnasium's HalfCheetahEnv, by position.
        task: `{'velocity': number}`, drawn from [0, 2]; None for 0.
        **options: arguments of gymnasium's HalfCheetahEnv, by name.
    """

    NAME, FIRST, INFO = "velocity", 0.0, "task_vel"

    def _draw(self, rng: np.random.Generator) -> float:
        return float(rng.uniform(0.0, FASTEST))

    def _forward_reward(self, velocity: float) -> float:
        return -abs(velocity - self._task[self.NAME])
