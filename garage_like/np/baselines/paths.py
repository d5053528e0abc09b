"""Baselines asked in garage's way: by dicts of arrays instead of batches."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec

Method = TypeVar("Method", bound=Any)


def fits_paths(fit: Method) -> Method:
    """Let `fit` take a list of dicts alone, each with `observations` and `returns`."""

    @functools.wraps(fit)
    def wrapped(self: Any, episodes: Any, returns: Any = None, *args: Any, **options: Any) -> None:
        if not isinstance(episodes, EpisodeBatch) and isinstance(episodes, Sequence):
            if not episodes:
                raise ValueError(f"{type(self).__name__}.fit: expected a path, got none")
            if returns is None:
                returns = np.concatenate([path["returns"] for path in episodes])
            episodes = _as_batch(self._env_spec, episodes)
        if returns is None:
            raise TypeError(f"{type(self).__name__}.fit needs the returns of these episodes")
        fit(self, episodes, returns, *args, **options)

    return wrapped  # type: ignore[return-value]


def predicts_paths(predict: Method) -> Method:
    """Let `predict` take one dict with `observations`; it returns their values, shape (T,)."""

    @functools.wraps(predict)
    def wrapped(self: Any, episodes: Any) -> Any:
        if isinstance(episodes, Mapping):
            return predict(self, _as_batch(self._env_spec, [episodes]))[0]
        return predict(self, episodes)

    return wrapped  # type: ignore[return-value]


def _as_batch(env_spec: EnvSpec, paths: Sequence[Mapping[str, Any]]) -> EpisodeBatch:
    """Return a batch of what a baseline looks at; what it does not is blank."""
    paths = [
        {"observations" if key == "observation" else key: value for key, value in path.items()}
        for path in paths
    ]
    first = "observations" if "observations" in paths[0] else "rewards"
    lengths = np.array([len(path[first]) for path in paths])
    seen, done = env_spec.observation_space.shape or (), env_spec.action_space.shape or ()
    blank = np.zeros((lengths.sum(), *seen), np.float32)
    given = [np.asarray(path["observations"]) for path in paths if "observations" in path]
    observations = np.concatenate(given) if given else blank
    infos = {
        key: np.concatenate([np.asarray(path[key]) for path in paths])
        for key in paths[0].keys() - {"observations", "returns", "rewards"}
        if all(
            np.shape(path.get(key, ()))[:1] == (length,)
            for path, length in zip(paths, lengths, strict=True)
        )
    }
    return EpisodeBatch(
        env_spec=env_spec,
        episode_infos_by_episode={},
        observations=observations,
        last_observations=observations[lengths.cumsum() - 1],
        actions=np.zeros((len(observations), *done), np.float32),
        rewards=np.zeros(len(observations)),
        env_infos={},
        agent_infos=infos,
        step_types=np.full(len(observations), StepType.MID, np.uint8),
        lengths=lengths,
    )
