"""GridWorldEnv: find the way to a goal on a small map; the smallest discrete task."""

from __future__ import annotations

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

MAPS = {
    "chain": ["G....S....G"],
    "4x4_safe": ["S..W", ".W..", "...W", "W..G"],
    "4x4": ["S..H", ".H..", "...H", "H..G"],
    "8x8": [
        "S.......",
        "...W....",
        "..H...H.",
        ".....W..",
        ".H..H...",
        "..WH..H.",
        ".H....H.",
        "....H..G",
    ],
}

MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))
"""Rows and columns moved by action 0 (left), 1 (down), 2 (right) and 3 (up)."""


class GridWorldEnv(Environment):
    """Walk on a grid from the start to the goal.

    Squares are S the start, G the goal (reward 1, terminates), H a hole (reward 0, terminates),
    W a wall, which cannot be entered, and . (or F) free. An observation is the index of a square,
    row by row. A move that leaves the map or hits a wall leaves the place as it was.

    Args:
        desc: the name of a map (`MAPS`), or its rows.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT).

    Raises:
        ValueError: if there is no such map, or it is no rectangle of such squares with one start.
    """

    def __init__(
        self, desc: str | Sequence[str] = "4x4", max_episode_length: int | None = None
    ) -> None:
        max_episode_length = check_episode_limit("GridWorldEnv", max_episode_length)
        rows = MAPS.get(desc) if isinstance(desc, str) else list(desc)
        if rows is None:
            raise ValueError(
                f"GridWorldEnv: desc must be one of {', '.join(MAPS)} or a list of rows, got "
                f"{desc!r}"
            )
        _check_map(rows)
        self._rows = rows
        width = len(rows[0])
        self._start = divmod("".join(rows).index("S"), width)
        self._place = self._start
        self._spec = EnvSpec(
            gymnasium.spaces.Discrete(len(rows) * width),
            gymnasium.spaces.Discrete(len(MOVES)),
            max_episode_length,
        )
        self._step_count = 0
        self._seeded = False
        self.needs_reset = True

    @property
    def spec(self) -> EnvSpec:
        return self._spec

    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Go to the start.

        Args:
            seed: seeds both spaces; the environment itself draws no random numbers.
        """
        if seed is None and not self._seeded:
            seed = seeding.integer_seed("env")
        if seed is not None:
            seed_spaces(seed, self.action_space, self.observation_space)
            self._seeded = True
        self._place = self._start
        self._step_count = 0
        self.needs_reset = False
        return self._observe(), {}

    def step(self, action: Any) -> EnvStep:
        """Move one square.

        Raises:
            RuntimeError: if there is no episode to continue.
            ValueError: if there is no such action.
        """
        if self.needs_reset:
            raise RuntimeError(
                "GridWorldEnv.step: there is no episode to continue (none was begun, or the last "
                "one has ended); call reset() first"
            )
        if not self.action_space.contains(action):
            raise ValueError(
                f"GridWorldEnv.step: action must be an integer in [0, {len(MOVES)}), got {action!r}"
            )
        down, right = MOVES[int(action)]
        row, column = self._place[0] + down, self._place[1] + right
        if self._square(row, column) != "W":
            self._place = row, column
        square = self._square(*self._place)
        self._step_count += 1
        step_type = StepType.get_step_type(
            self._step_count, self._spec.max_episode_length, square in "GH"
        )
        self.needs_reset = step_type >= StepType.TERMINAL
        return EnvStep(
            env_spec=self._spec,
            action=action,
            reward=1.0 if square == "G" else 0.0,
            observation=self._observe(),
            env_info={"success": square == "G"},
            step_type=step_type,
        )

    def _square(self, row: int, column: int) -> str:
        """Return what is on a square; around the map there is a wall."""
        if 0 <= row < len(self._rows) and 0 <= column < len(self._rows[0]):
            return self._rows[row][column]
        return "W"

    def _observe(self) -> np.ndarray:
        return np.array(self._place[0] * len(self._rows[0]) + self._place[1])

    @property
    def render_modes(self) -> list[str]:
        """Text alone."""
        return ["ansi"]

    def render(self, mode: str = "ansi") -> str:
        """Return the map as text, the present place in brackets."""
        if mode != "ansi":
            raise ValueError(f"GridWorldEnv.render: mode must be 'ansi', got {mode!r}")
        return "\n".join(
            "".join(
                f"[{square}]" if (i, j) == self._place else f" {square} "
                for j, square in enumerate(row)
            )
            for i, row in enumerate(self._rows)
        )


def _check_map(rows: Sequence[str]) -> None:
    if not rows or not rows[0] or len({len(row) for row in rows}) != 1:
        raise ValueError(f"GridWorldEnv: all rows of desc must be as long as the first, got {rows}")
    squares = "".join(rows)
    if set(squares) - set("SGHWF.") or squares.count("S") != 1:
        raise ValueError(
            f"GridWorldEnv: desc must have squares S, G, H, W, F and ., one of them S; got {rows}"
        )
