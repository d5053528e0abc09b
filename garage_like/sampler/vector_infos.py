"""What a gymnasium vector environment tells at each tick, as rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from garage_like.data.infos import Infos, stack_infos

_OF_ENDS = ("final_info", "final_obs", "final_observation")


def stack_vector_infos(
    ticks: Sequence[Infos], rows: np.ndarray, ended: np.ndarray, dropped: set[str]
) -> Infos:
    """Return arrays of S rows.

    gymnasium gives a dict of arrays of N rows, and beside each key `key` a `_key` that says where
    there is a value. What is told of a step that ended an episode, whose place the next episode's
    first infos took, is under `final_info`.

    Args:
        ticks: what each tick told.
        rows: shape (S,), the cells that are handed out, `tick * N + environment`.
        ended: shape (T, N), where episodes ended.
        dropped: names of infos that a warning was given for; new ones are added.
    """
    if not any(ticks):
        return {}
    if all(map(_is_simple, ticks)) and all(tick.keys() == ticks[0].keys() for tick in ticks):
        arrays = {key: np.stack([tick[key] for tick in ticks]) for key in ticks[0] if key[0] != "_"}
        return {key: a.reshape(-1, *a.shape[2:]).take(rows, 0) for key, a in arrays.items()}
    n = ended.shape[1]
    told = [_of_one(ticks[row // n], row % n, ended[row // n, row % n]) for row in rows.tolist()]
    return stack_infos(told, "env_infos", dropped)


def _is_simple(tick: Infos) -> bool:
    """Tell whether there is a number for each environment under each key."""
    return all(
        tick[f"_{key}"].all() and isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
        for key, value in tick.items()
        if f"_{key}" in tick and key not in _OF_ENDS
    ) and not any(key in tick for key in _OF_ENDS)


def _of_one(tick: Infos, column: int, ended: bool) -> dict[str, Any]:
    """Return what a tick told of one environment's step."""
    if ended and "final_info" in tick and tick["_final_info"][column]:
        tick = tick["final_info"]
        if isinstance(tick, np.ndarray):
            return dict(tick[column])
    found: dict[str, Any] = {}
    for key, value in tick.items():
        mask = tick.get(f"_{key}")
        if key in _OF_ENDS or mask is None or not mask[column]:
            continue
        found[key] = _of_one(value, column, False) if isinstance(value, dict) else value[column]
    return found
