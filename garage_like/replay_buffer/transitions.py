"""What a transition looks like as a row of a table."""

from __future__ import annotations

import functools

import gymnasium
import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.data.table import Table

Transitions = dict[str, np.ndarray]
"""Columns of B transitions: observation, action, reward, next_observation, step_type, segment."""

Kind = tuple[np.dtype, tuple[int, ...]]
"""Type and shape of one row's value."""


def columns_of(env_spec: EnvSpec) -> dict[str, Kind]:
    """Say what a transition of an environment looks like as a row.

    Raises:
        ValueError: if the observations or actions do not come as one array.
    """
    observation = _kind_of("observation_space", env_spec.observation_space)
    return {
        "observation": observation,
        "action": _kind_of("action_space", env_spec.action_space),
        "next_observation": observation,
        "reward": (np.dtype(np.float32), ()),
        "segment": (np.dtype(np.int32), ()),
        "step_type": (np.dtype(np.uint8), ()),
    }


def _kind_of(name: str, space: gymnasium.Space) -> Kind:
    if space.shape is None or space.dtype is None:
        raise ValueError(
            f"replay memory keeps {name} {space!r} only as one array; make the environment with "
            "GymEnv(..., flatten_obs=True)"
        )
    dtype = np.dtype(np.float32) if np.issubdtype(space.dtype, np.floating) else space.dtype
    return np.dtype(dtype), tuple(space.shape)


@functools.lru_cache(256)
def _fits(given: np.dtype, stored: np.dtype) -> bool:
    """Whether numbers of one type may be kept as another."""
    return (given.kind in "iu" and stored.kind in "iu") or np.can_cast(given, stored, "same_kind")


def check_columns(owner: str, values: Transitions, table: Table) -> None:
    """Raise ValueError unless arrays have the shapes that a table has room for."""
    for name, array in values.items():
        column = table.columns[name]
        if array.shape[1:] != column.shape or not _fits(array.dtype, column.dtype):
            raise ValueError(
                f"{owner}: each {name} must have shape {column.shape} and fit {column.dtype}, as "
                f"the environment's spaces say; got shape {array.shape[1:]}, {array.dtype}"
            )


def listed(columns: dict[str, Kind]) -> str:
    """Name columns with their types and shapes, for messages."""
    return ", ".join(f"{name} {dtype}{list(shape)}" for name, (dtype, shape) in columns.items())


def holds_others(table: Table | None) -> bool:
    """Whether rows are no transitions, or may still become something else."""
    return table is None or "step_type" not in table.columns


def check_others(owner: str, rows: Transitions, table: Table | None, capacity: int) -> int:
    """Return how many rows a path has that consists of any columns.

    Raises:
        ValueError: if it has none, more than there is room for, or others than the first path.
    """
    shapes = {key: array.shape[1:] for key, array in rows.items()}
    kept = shapes
    if table is not None:
        kept = {name: column.shape for name, column in table.columns.items() if name != "segment"}
    counts = {len(array) for array in rows.values() if array.ndim == 2}
    ours = rows.keys() & {"segment", "step_type"}
    is_flat = any(array.ndim != 2 for array in rows.values())
    if ours or shapes != kept or len(counts) != 1 or is_flat:
        raise ValueError(
            f"{owner}: expected observation, action, reward, next_observation and terminal, or"
            " arrays of two dimensions and equally many rows under the names of the first path;"
            f" none may be called segment or step_type; got {shapes}"
        )
    (count,) = counts
    if not 0 < count <= capacity:
        raise ValueError(f"{owner}: a path of {count} rows does not fit into {capacity}")
    return count


def as_added(table: Table, rows: Transitions) -> Transitions:
    """Return rows; of what are no transitions, without the column that came to them here."""
    if holds_others(table):
        del rows["segment"]
    return rows
