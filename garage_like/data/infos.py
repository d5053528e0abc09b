"""Infos: what environments and policies report beside the numbers that learning needs.

Step by step they come as dicts of anything; in a batch they are (nested) dicts of arrays, one row
for each env step or episode.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

Infos = dict[str, Any]

_MISSING = object()
_NUMBERS = (float, np.float64, int, bool)


def check_rows(owner: str, name: str, value: Any, rows: int) -> None:
    """Raise ValueError unless `value`, an array or infos, has so many rows throughout."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(inner, dict | np.ndarray):
                raise ValueError(
                    f"{owner}: {name}[{key!r}] must be an array or a dict of arrays, got"
                    f" {type(inner).__name__}"
                )
            check_rows(owner, f"{name}[{key!r}]", inner, rows)
    elif len(value) != rows:
        raise ValueError(f"{owner}: {name} must have {rows} rows, got {len(value)}")


def check_values(owner: str, name: str, values: Any, space: gymnasium.Space, lead: int = 1) -> None:
    """Raise ValueError unless `values` is an array of points of a space, flat or not.

    Args:
        owner: the class, for messages.
        name: what it calls the array.
        values: shape (rows, *), already known to have rows.
        space: what one row must be as large as.
        lead: dimensions before those of a point.
    """
    if not isinstance(values, np.ndarray):
        raise ValueError(f"{owner}: {name} must be a NumPy array, got {type(values).__name__}")
    shape = values.shape[lead:]
    if space.shape is None or shape == space.shape:
        return
    # One-hot points of Discrete spaces and flat images are as long as the space says.
    if math.prod(shape) not in (math.prod(space.shape), spaces.flatdim(space)):
        raise ValueError(
            f"{owner}: each row of {name} has shape {shape}, which is not that of {space!r}"
        )


def check_steps(owner: str, rewards: Any, step_types: Any) -> np.ndarray:
    """Return step types as bytes; raise ValueError unless both are one number for each step."""
    for name, values in (("rewards", rewards), ("step_types", step_types)):
        if not isinstance(values, np.ndarray) or values.ndim != 1:
            shape = getattr(values, "shape", type(values).__name__)
            raise ValueError(f"{owner}: {name} must be an array of shape (S,), got {shape}")
    if step_types.dtype.kind not in "iuO":
        raise ValueError(f"{owner}: step_types must be StepTypes, got {step_types.dtype}")
    # garage's arrays of StepType are arrays of objects.
    types: np.ndarray = step_types.astype(np.uint8) if step_types.dtype == object else step_types
    return types


def slice_infos(infos: Infos, rows: slice | np.ndarray) -> Infos:
    """Take rows out of every array of a (nested) dict of arrays."""
    return {k: slice_infos(v, rows) if isinstance(v, dict) else v[rows] for k, v in infos.items()}


def concatenate_infos(parts: Sequence[Infos], lengths: Sequence[int]) -> Infos:
    """Join (nested) dicts of arrays row by row.

    Args:
        parts: infos of each batch.
        lengths: rows of each batch; where a part lacks a key that another has, so many rows are
            filled in: NaN if the others are floating, else zeros.
    """
    joined: Infos = {}
    for key in _all_keys(parts):
        values = [part.get(key, _MISSING) for part in parts]
        present = [value for value in values if value is not _MISSING]
        if isinstance(present[0], dict):
            joined[key] = concatenate_infos(
                [{} if value is _MISSING else value for value in values], lengths
            )
        else:
            joined[key] = np.concatenate(
                [
                    _blank(present[0], rows) if value is _MISSING else value
                    for value, rows in zip(values, lengths, strict=True)
                ]
            )
    return joined


def stack_infos(dicts: Sequence[Infos], owner: str, dropped: set[str]) -> Infos:
    """Turn one dict for each step into one dict of arrays.

    Numbers, strings and arrays of equal shapes are stacked, nested dicts key by key. Where a step
    lacks a key, it gets NaN if the others are floating, else zero. What cannot be stacked is left
    out, with one warning for each key.

    Args:
        dicts: one for each row.
        owner: what the warning calls them, such as 'env_infos'.
        dropped: keys that were warned of before; new ones are added.
    """
    if not any(dicts):
        return {}
    stacked: Infos = {}
    for key in _all_keys(dicts):
        if len(dicts) == 1 and type(dicts[0][key]) in _NUMBERS:
            stacked[key] = np.array([dicts[0][key]])
            continue
        try:
            values = [info[key] for info in dicts]
        except KeyError:
            values = [info.get(key, _MISSING) for info in dicts]
        name = f"{owner}[{key!r}]"
        rows = _stack(values, name, dropped)
        if rows is not None:
            stacked[key] = rows
        elif name not in dropped:
            dropped.add(name)
            warnings.warn(
                f"{name} cannot be stacked into an array (it must be a number, a string or an "
                "array of one shape at every step); it is left out of the batch",
                RuntimeWarning,
                stacklevel=2,
            )
    return stacked


def _all_keys(dicts: Sequence[Infos]) -> list[str]:
    """List the keys of all dicts, in order of first appearance."""
    keys: dict[str, None] = {}
    previous = None
    for info in dicts:
        # Most environments report the same keys at every step.
        if (these := info.keys()) != previous:
            keys.update(dict.fromkeys(these))
            previous = these
    return list(keys)


def _stack(values: list[Any], name: str, dropped: set[str]) -> Any:
    """Return rows for all values, or None if they do not go into one array."""
    present = [value for value in values if value is not _MISSING]
    nested = [isinstance(value, dict) for value in present]
    if all(nested):
        return stack_infos([{} if v is _MISSING else v for v in values], name, dropped)
    if any(nested):
        return None
    try:
        rows = np.array(present)
    except ValueError:
        return None
    text = rows.dtype.kind == "U"
    if rows.dtype.kind not in "biufcU" or (text and not all(isinstance(v, str) for v in present)):
        return None
    if len(present) < len(values):
        filled = _blank(rows, len(values))
        filled[[value is not _MISSING for value in values]] = rows
        return filled
    return rows


def _blank(like: np.ndarray, rows: int) -> np.ndarray:
    """Return rows of NaN or zeros that go with an array."""
    fill = np.nan if like.dtype.kind in "fc" else np.zeros((), like.dtype)
    return np.full((rows, *like.shape[1:]), fill, like.dtype)
