"""Directories that hold a policy's weights and, as JSON, what observations are normalised by.

This is how CO-GYM saves: configuration, metadata, normalising values and weights side by side. The
files are told by what is in them rather than by their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.interop.statistics import ObservationStatistics

_WEIGHTS = (".safetensors", ".pt", ".pth", ".npz")
_MAX_JSON = 1 << 24


def read_policy_directory(path: Path) -> tuple[Path, list[ObservationStatistics]]:
    """Find the weights of a directory, and the statistics in its JSON files.

    Raises:
        ValueError: if there are no weights, or several files could be meant.
    """
    files = sorted(entry for entry in path.iterdir() if entry.suffix in _WEIGHTS)
    weights = [file for file in files if "optim" not in file.name and "buffer" not in file.name]
    policies = [file for file in weights if file.stem.startswith(("policy", "actor"))]
    chosen = policies if len(weights) > 1 else weights
    if len(chosen) != 1:
        names = ", ".join(file.name for file in weights) or "none"
        raise ValueError(
            f"{path}: expected one file of weights ({', '.join(_WEIGHTS)}), found {names}; name the"
            " file itself"
        )
    statistics = [
        found
        for file in sorted(path.glob("*.json"))
        for found in _statistics_in(_parsed(file), file.name)
    ]
    return chosen[0], statistics


def _parsed(file: Path) -> Any:
    if file.stat().st_size > _MAX_JSON:
        return None
    try:
        return json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError):
        return None


def _statistics_in(value: Any, source: str) -> Iterator[ObservationStatistics]:
    """Yield means with variances, however deep they are nested."""
    if not isinstance(value, Mapping):
        return
    mean = _numbers(value.get("mean", value.get("running_mean")))
    variance = _numbers(value.get("var", value.get("variance", value.get("running_var"))))
    deviation = _numbers(value.get("std"))
    if variance is None and deviation is not None:
        variance = deviation**2
    if mean is not None and variance is not None and mean.shape == variance.shape:
        options = {key: value[key] for key in ("epsilon", "clip") if _is_number(value.get(key))}
        count: Any = value.get("count")
        yield ObservationStatistics(
            mean, variance, float(count) if _is_number(count) else None, source=source, **options
        )
        return
    for name, part in value.items():
        yield from _statistics_in(part, f"{source}: {name}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(value: Any) -> np.ndarray | None:
    """Return a list of numbers as an array, or None if it is anything else."""
    if not isinstance(value, list):
        return None
    try:
        array = np.array(value)
    except ValueError:
        return None
    return array.astype(np.float64) if array.dtype.kind in "if" and array.size else None
