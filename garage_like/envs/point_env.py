"""PointEnv: a point in a square walks to a goal; the smallest continuous task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from garage_like import seeding
from garage_like.data.batches import EnvStep, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.envs.episode_limit import check_episode_limit
from garage_like.envs.space_seeds import seed_spaces
from garage_like.interfaces import Environment

MAX_STEP = 0.1
TASK_RANGE = 2.0


class PointEnv(Environment):
    """Walk from the origin to a goal.

    An observation holds the position and the distance to the goal. The reward is minus the
    distance after the step. The goal is reached within one step's length of it.

    Args:
        goal: position, two numbers.
        arena_size: half the side of the square around the origin that the point cannot leave.
        done_bonus: added to the reward when the goal is reached.
        never_done: go on when the goal is reached.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT).

    Raises:
        ValueError: if the goal is not a position in the arena, or a number is out of range.
    """

    _is_shown = False

    def __init__(
        self,
        goal: Sequence[float] | np.ndarray = (1.0, 1.0),
        arena_size: float = 5.0,
        done_bonus: float = 0.0,
        never_done: bool = False,
        max_episode_length: int | None = None,
    ) -> None:
        max_episode_length = check_episode_limit("PointEnv", max_episode_length)
        if not arena_size > 0:
            raise ValueError(f"PointEnv: arena_size must be positive, got {arena_size!r}")
        self._arena_size = arena_size
        self._done_bonus = done_bonus
        self._never_done = never_done
        self._spec = EnvSpec(
            gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float32),
            gymnasium.spaces.Box(-MAX_STEP, MAX_STEP, (2,), np.float32),
            max_episode_length,
        )
        self._rng: np.random.Generator | None = None
        self._point = np.zeros(2, np.float32)
        self._step_count = 0
        self._seeded = False
        self.needs_reset = True
        self.set_task({"goal": np.asarray(goal, np.float32)})

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Put the point at the origin; the episode infos hold the goal.

        Args:
            seed: seeds the generator that `sample_tasks` draws from, and both spaces.
        """
        if seed is None and not self._seeded:
            seed = seeding.integer_seed("env")
        if seed is not None:
            self._rng = seeding.stream("PointEnv", entropy=seed)
            seed_spaces(seed, self.action_space, self.observation_space)
            self._seeded = True
        self._point = np.zeros(2, np.float32)
        self._step_count = 0
        self.needs_reset = False
        return self._observe()[0], {"goal": self._goal}

    def step(self, action: Any) -> EnvStep:
        """Move by an action of shape (2,), which is clipped to its bounds.

        Raises:
            RuntimeError: if there is no episode to continue.
        """
        if self.needs_reset:
            raise RuntimeError(
                "PointEnv.step: there is no episode to continue (none was begun, or the last one "
                "has ended); call reset() first"
            )
        movement = np.clip(np.asarray(action, np.float32), -MAX_STEP, MAX_STEP)
        self._point = np.clip(self._point + movement, -self._arena_size, self._arena_size)
        observation, distance = self._observe()
        success = distance < MAX_STEP
        self._step_count += 1
        step_type = StepType.get_step_type(
            self._step_count, self._spec.max_episode_length, success and not self._never_done
        )
        self.needs_reset = step_type >= StepType.TERMINAL
        if self._is_shown:
            print(self.render())
        return EnvStep(
            env_spec=self._spec,
            action=action,
            reward=-distance + (self._done_bonus if success else 0.0),
            observation=observation,
            env_info={"success": success, "task": {"goal": self._goal}},
            step_type=step_type,
        )

    def _observe(self) -> tuple[np.ndarray, float]:
        distance = math.dist(self._goal.tolist(), self._point.tolist())
        return np.array([*self._point, distance], np.float32), distance

    @property
    def render_modes(self) -> list[str]:
        """Text alone."""
        return ["ascii"]

    def render(self, mode: str = "ascii") -> str:
        """Return where the point is and where it should be, as text."""
        if mode != "ascii":
            raise ValueError(f"PointEnv.render: mode must be 'ascii', got {mode!r}")
        return f"Point: {self._point}, Goal: {self._goal}"

    def visualize(self) -> None:
        """Print where the point is, now and after each step from now on."""
        self._is_shown = True
        print(self.render())

    def sample_tasks(self, num_tasks: int) -> list[dict[str, np.ndarray]]:
        """Draw tasks, each with a goal at most TASK_RANGE from the origin along each axis."""
        if self._rng is None:
            self._rng = seeding.stream("PointEnv")
        reach = min(TASK_RANGE, self._arena_size)
        goals = self._rng.uniform(-reach, reach, (num_tasks, 2)).astype(np.float32)
        return [{"goal": goal} for goal in goals]

    def set_task(self, task: dict[str, np.ndarray]) -> None:
        """Change the goal; takes effect at once.

        Args:
            task: `{'goal': position}`, as `sample_tasks` returns them.
        """
        goal = np.array(task["goal"], np.float32)
        if goal.shape != (2,) or not (np.abs(goal) <= self._arena_size).all():
            raise ValueError(
                f"PointEnv: goal must be two numbers of at most arena_size={self._arena_size!r}, "
                f"got {task['goal']!r}"
            )
        self._goal = goal
