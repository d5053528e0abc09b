"""The mean and variance that another program normalised observations by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.envs.normalized_env import NormalizedEnv
from garage_like.envs.wrapper import Wrapper
from garage_like.interop.inert_pickle import Inert, array_of, read_inert

_MEANS = ("running_mean", "mean")
_VARIANCES = ("running_var", "running_variance", "var", "variance")
_COUNTS = ("count", "current_count", "num_samples")


@dataclass(frozen=True, eq=False)
class ObservationStatistics:
    """What observations are normalised by: `(x - mean) / sqrt(variance)`, clipped.

    Attributes:
        mean: shape (O*,), float64.
        variance: shape (O*,), float64; a variance, not a standard deviation.
        count: observations that they were computed from, or None.
        epsilon: keeps the divisor from being 0.
        clip: what normalised observations are clipped to; None for no limit.
        epsilon_in_root: whether epsilon is added to the variance, else to the deviation.
        source: name in the checkpoint, or of its file.
    """

    mean: np.ndarray
    variance: np.ndarray
    count: float | None = None
    epsilon: float = 1e-8
    clip: float | None = None
    epsilon_in_root: bool = True
    source: str = ""

    def normalize(self, observations: np.ndarray) -> np.ndarray:
        """Return observations, shape (N, O*) or (O*,), as the other program's policy saw them."""
        if self.epsilon_in_root:
            deviation = np.sqrt(self.variance + self.epsilon)
        else:
            deviation = np.sqrt(self.variance) + self.epsilon
        normalized = (np.asarray(observations, np.float64) - self.mean) / deviation
        if self.clip is not None:
            normalized = np.clip(normalized, -self.clip, self.clip)
        return normalized.astype(np.float32)

    def put_into(self, env: Any) -> None:
        """Let the NormalizedEnv in a stack of wrappers begin with these statistics.

        Raises:
            ValueError: if no wrapper normalises observations, or observations have another shape.
        """
        found = next(normalising_wrappers(env), None)
        if found is None:
            raise ValueError(
                f"{env!r} normalises no observations; wrap its environment in"
                " NormalizedEnv(env, normalize_obs=True)"
            )
        found.set_observation_statistics(self.mean, self.variance)


def normalising_wrappers(env: Any) -> Iterator[NormalizedEnv]:
    """Yield the wrappers of an environment that normalise observations, from the outside in."""
    while isinstance(env, Wrapper):
        if isinstance(env, NormalizedEnv) and env.observation_statistics is not None:
            yield env
        env = env.wrapped


def split_statistics(
    arrays: Mapping[str, np.ndarray], **conventions: Any
) -> tuple[dict[str, np.ndarray], list[ObservationStatistics]]:
    """Take running means and variances out of the arrays of a checkpoint.

    Args:
        arrays: by name.
        **conventions: epsilon, clip and epsilon_in_root of the program that wrote it.

    Returns:
        All other arrays, and the statistics, those of observations first.
    """
    rest, found = dict(arrays), []
    for mean_name in arrays:
        prefix, _, leaf = mean_name.rpartition(".")
        variance_name = _sibling(arrays, prefix, _VARIANCES)
        if leaf not in _MEANS or variance_name is None or arrays[mean_name].dtype.kind != "f":
            continue
        mean, variance = arrays[mean_name], arrays[variance_name]
        if mean.shape != variance.shape:
            continue
        count_name = _sibling(arrays, prefix, _COUNTS)
        count = None if count_name is None else float(np.ravel(arrays[count_name])[0])
        for name in (mean_name, variance_name, count_name):
            rest.pop(name or "", None)
        values = (mean.astype(np.float64), variance.astype(np.float64), count)
        found.append(ObservationStatistics(*values, source=prefix, **conventions))
    return rest, sorted(found, key=lambda one: is_of_returns(one.source))


def is_of_returns(source: str) -> bool:
    """Tell from their name whether statistics are of values or rewards, not of observations."""
    words = source.lower()
    return "obs" not in words and any(word in words for word in ("value", "ret", "reward"))


def _sibling(arrays: Mapping[str, Any], prefix: str, leaves: tuple[str, ...]) -> str | None:
    names = (f"{prefix}.{leaf}" if prefix else leaf for leaf in leaves)
    return next((name for name in names if name in arrays), None)


def read_vec_normalize(path: Path) -> ObservationStatistics:
    """Read the statistics of a pickled VecNormalize of Stable-Baselines3; no code of it is run.

    Raises:
        ValueError: if the file holds none.
    """
    try:
        pickled = read_inert(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    running = pickled.attribute("obs_rms") if isinstance(pickled, Inert) else None
    if not isinstance(running, Inert):
        raise ValueError(
            f"{path}: expected a VecNormalize with statistics of one array of observations, found"
            f" {getattr(pickled, 'name', type(pickled).__name__)} with {type(running).__name__}"
        )
    mean, variance = array_of(running.attribute("mean")), array_of(running.attribute("var"))
    if mean is None or variance is None or mean.shape != variance.shape:
        raise ValueError(f"{path}: its obs_rms has no mean and variance of one shape")
    numbers = {key: array_of(pickled.attribute(key)) for key in ("epsilon", "clip_obs")}
    count = array_of(running.attribute("count"))
    return ObservationStatistics(
        mean,
        variance,
        None if count is None else float(count),
        1e-8 if numbers["epsilon"] is None else float(numbers["epsilon"]),
        None if numbers["clip_obs"] is None else float(numbers["clip_obs"]),
        source=path.name,
    )
