"""How long an episode may last: checked, found in a gymnasium environment, and replaced there."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np


def check_episode_limit(owner: str, value: Any) -> int | None:
    """Return a limit; refuse what is neither None nor infinite nor a positive integer."""
    if value is None or value == math.inf:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{owner}: max_episode_length must be an integer or None, got {value!r}")
    if value < 1:
        raise ValueError(f"{owner}: max_episode_length must be at least 1, got {value!r}")
    return int(value)


def find_time_limit(env: gymnasium.Env) -> int | None:
    """Return the shortest time limit among an environment's wrappers, or None."""
    limits = []
    layer = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, gymnasium.wrappers.TimeLimit):
            # gymnasium tells the limit in public only of an environment that is registered.
            limits.append(layer._max_episode_steps)
        layer = layer.env
    return min(limits, default=None)


def replace_time_limit(env: gymnasium.Env, limit: int) -> gymnasium.Env:
    """Replace every time limit among an environment's wrappers, which stay where they are."""
    if not isinstance(env, gymnasium.Wrapper):
        return env
    inside = replace_time_limit(env.env, limit)
    if isinstance(env, gymnasium.wrappers.TimeLimit):
        return gymnasium.wrappers.TimeLimit(inside, limit)
    env.env = inside
    return env
