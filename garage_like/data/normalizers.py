"""Values that an environment normalises with, under their true names: mean, variance, count.

They stand in the manifest, so that a policy can be used where there is neither this project nor
its environments: `(observation - mean) / sqrt(var + epsilon)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from garage_like.data.env_layers import layers_of

Normalizers = Mapping[str, Mapping[str, Any]]
"""By what is normalised (`observation`, `reward`, `return`): `mean`, `var` and `count`."""

_OF_GYMNASIUM = {"obs_rms": "observation", "return_rms": "return"}
_LARGEST = 10_000


def normalizers_of(env: Any) -> dict[str, dict[str, Any]]:
    """Return what one environment and its wrappers normalise with, as JSON values."""
    return as_json(pooled_normalizers([env]))


def pooled_normalizers(envs: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return what environments and their wrappers normalise with, taken together.

    The pooled mean and variance are those of all values that any of them saw, exactly; a mean that
    weighs the newest values most (`obs_alpha`) is weighed by their number.

    Args:
        envs: alike, ours or gymnasium's; of those that differ, the first tells what is normalised.

    Returns:
        Of each that is normalised, `mean` and `var`, and `count`, of the values that they come
        from. The outermost wrapper wins.
    """
    found: list[dict[str, dict[str, Any]]] = []
    for env in envs:
        found.append(_of_one(env))
        if not found[0]:
            return {}
    if not found:
        return {}
    return {name: _pooled([one[name] for one in found if name in one]) for name in found[0]}


def _of_one(env: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for layer in _layers(env):
        for name, values in _of_layer(layer):
            found.setdefault(name, values)
    return found


def _pooled(parts: list[dict[str, Any]]) -> dict[str, Any]:
    total = sum(part["count"] for part in parts)
    shapes = {np.shape(part["mean"]) for part in parts}
    if len(parts) == 1 or len(shapes) > 1 or not total:
        return parts[0]
    return pooled(*(np.stack([part[key] for part in parts]) for key in ("mean", "var", "count")))


def pooled(mean: np.ndarray, var: np.ndarray, count: np.ndarray) -> dict[str, Any]:
    """Return statistics of all values together.

    Args:
        mean: shape (N, ...), of N parts.
        var: as many variances.
        count: shape (N,), how many values each part comes from.
    """
    mean, total = np.asarray(mean, np.float64), count.sum()
    if not total:
        return {"mean": mean[0], "var": var[0], "count": count[0]}
    weights = (count / total).reshape(-1, *[1] * (mean.ndim - 1))
    whole = _in_turn(weights * mean)
    off = mean - whole
    return {"mean": whole, "var": _in_turn(weights * (var + off * off)), "count": total}


def _in_turn(parts: np.ndarray) -> Any:
    """Add rows up, one after the other: the same bits however many numbers a row has."""
    return np.add.accumulate(parts, axis=0)[-1].copy()


def set_normalizers(env: Any, normalizers: Normalizers) -> None:
    """Let an environment normalise with other statistics; what is not named keeps its own."""
    for layer in _layers(env):
        for name, own in list(_of_layer(layer)):
            values = normalizers.get(name)
            if values is not None and np.size(values["mean"]) == np.size(own["mean"]):
                _set(layer, name, values)


def use_normalizers(env: Any, normalizers: Normalizers) -> None:
    """Do what `set_normalizers` does, and let the environment learn no further.

    What has seen nothing, and of which nothing is known, goes on learning.
    """
    set_normalizers(env, normalizers)
    for layer in _layers(env):
        if any(values["count"] >= 1 for _, values in _of_layer(layer)):
            layer.update_running_mean = False


def _set(layer: Any, name: str, values: Mapping[str, Any]) -> None:
    for attribute, normalised in _OF_GYMNASIUM.items():
        running: Any = getattr(layer, "__dict__", {}).get(attribute)
        if normalised == name and running is not None:
            for key in ("mean", "var"):
                old = np.asarray(getattr(running, key))
                new = np.asarray(values[key], np.float64).astype(old.dtype).reshape(old.shape)
                setattr(running, key, new)
            running.count = float(values["count"])
    take = getattr(type(layer), "set_normalizer", None)
    if callable(take):
        take(layer, name, values)


def as_json(normalizers: Normalizers) -> dict[str, dict[str, Any]]:
    """Return them as JSON has them; more than 10,000 numbers, of images say, are left out."""
    return {
        name: {key: _plain(value) for key, value in values.items()}
        for name, values in normalizers.items()
        if np.size(values["mean"]) <= _LARGEST
    }


def arrays_of(recorded: Normalizers) -> dict[str, dict[str, np.ndarray]]:
    """Turn what `as_json` returned back into arrays of float64.

    Raises:
        ValueError: if it is something else.
    """
    return {
        name: {key: np.asarray(value).astype(np.float64) for key, value in values.items()}
        for name, values in recorded.items()
    }


def _layers(env: Any) -> Iterator[Any]:
    """Yield the layers of a vector environment that is held, which is what is trained in, first."""
    vector = getattr(env, "__dict__", {}).get("_vector")
    if vector is not None:
        yield from layers_of(getattr(vector, "_env", None))
    yield from layers_of(env)


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
