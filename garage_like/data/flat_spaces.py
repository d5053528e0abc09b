"""What garage's programs ask of spaces: how long a flat point is, and points laid flat.

garage had spaces of its own. Here they are gymnasium's, which know this as functions, and are given
the methods besides, unless a later gymnasium brings them along.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces


def flat_dim(space: spaces.Space) -> int:
    """Return how many numbers a flat point has."""
    return int(spaces.flatdim(space))


def flatten(space: spaces.Space, x: Any) -> np.ndarray:
    """Return a point as one vector; one of a Discrete space becomes one-hot."""
    return np.asarray(spaces.flatten(space, x))


def flatten_n(space: spaces.Space, xs: Any) -> np.ndarray:
    """Return N points as shape (N, flat_dim)."""
    return np.asarray([flatten(space, x) for x in xs]).reshape(len(xs), flat_dim(space))


def unflatten(space: spaces.Space, x: Any) -> Any:
    """Return the point that a vector is of."""
    return spaces.unflatten(space, x)


def unflatten_n(space: spaces.Space, xs: Any) -> list[Any]:
    """Return the points that the rows of shape (N, flat_dim) are of."""
    return [unflatten(space, x) for x in xs]


def give_methods() -> None:
    """Let gymnasium's spaces answer as garage's did."""
    for function in (flatten, flatten_n, unflatten, unflatten_n):
        if not hasattr(spaces.Space, function.__name__):
            setattr(spaces.Space, function.__name__, function)
    if not hasattr(spaces.Space, "flat_dim"):
        spaces.Space.flat_dim = property(flat_dim)  # type: ignore[attr-defined]


give_methods()
