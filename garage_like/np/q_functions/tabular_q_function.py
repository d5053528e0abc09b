"""TabularQFunction: a number for each observation and action."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from garage_like.configuration.configured import Configured
from garage_like.data.env_spec import EnvSpec


class TabularQFunction(Configured):
    """Keep what each action is worth in a table.

    Args:
        env_spec: its observation and action spaces are Discrete, counted from 0.
        initial_value: of each entry; more than there is to earn makes a greedy policy explore.

    Attributes:
        table: shape (S, A), float64, where S and A are the numbers of observations and actions.

    Raises:
        ValueError: if a space is something else.
    """

    def __init__(self, env_spec: EnvSpec, initial_value: float = 0.0) -> None:
        sizes = []
        for name in ("observation_space", "action_space"):
            space = getattr(env_spec, name)
            if not isinstance(space, spaces.Discrete) or space.start != 0:
                raise ValueError(
                    f"TabularQFunction needs a Discrete {name} with start=0, got {space!r}"
                )
            sizes.append(int(space.n))
        self.table = np.full(sizes, initial_value, np.float64)

    def __call__(self, observations: Any) -> np.ndarray:
        """Return values, shape (N, A), of observations of shape (N,)."""
        values: np.ndarray = self.table[np.asarray(observations, np.intp)]
        return values
