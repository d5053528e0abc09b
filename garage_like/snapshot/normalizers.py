"""Values that an environment normalises with, under their true names: mean, variance, count.

They stand in the manifest, so that a policy can be used where there is neither this project nor
its environments: `(observation - mean) / sqrt(var + epsilon)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from garage_like.data.env_layers import layers_of

_OF_GYMNASIUM = {"obs_rms": "observation", "return_rms": "return"}
_LARGEST = 10_000


def normalizers_of(env: Any) -> dict[str, dict[str, Any]]:
    """Return what an environment and its wrappers normalise with, as JSON values.

    Args:
        env: one of ours, or of gymnasium, or None.

    Returns:
        By what is normalised (`observation`, `reward`, `return`): `mean` and `var`, as nested
        lists, and `count`, of the values that they come from. The outermost wrapper wins. More
        than 10,000 numbers, of images say, are left to the environment's tensors.
    """
    found: dict[str, dict[str, Any]] = {}
    for layer in layers_of(env):
        for name, values in _of_layer(layer):
            if np.size(values["mean"]) <= _LARGEST:
                found.setdefault(name, {key: _plain(value) for key, value in values.items()})
    return found


def arrays_of(recorded: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, np.ndarray]]:
    """Turn what `normalizers_of` returned back into arrays of float64.

    Raises:
        ValueError: if it is something else.
    """
    return {
        name: {key: np.asarray(value).astype(np.float64) for key, value in values.items()}
        for name, values in recorded.items()
    }


def _of_layer(layer: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    normalizers = getattr(type(layer), "normalizers", None)
    if callable(normalizers):
        yield from normalizers(layer).items()
    for attribute, name in _OF_GYMNASIUM.items():
        running: Any = getattr(layer, "__dict__", {}).get(attribute)
        if all(hasattr(running, key) for key in ("mean", "var", "count")):
            yield name, {"mean": running.mean, "var": running.var, "count": running.count}


def _plain(value: Any) -> Any:
    """Return numbers as JSON has them; what is not finite, as text."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if math.isfinite(value) else repr(float(value))
