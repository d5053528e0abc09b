"""NormalizedVector: what NormalizedEnv does, for N environments that are stepped at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium.vector.utils import batch_space

from garage_like.data.env_step import VectorStep
from garage_like.data.normalizers import pooled
from garage_like.interfaces import VectorEnvironment

TINY = 1e-8


def moved(mean: Any, var: Any, alpha: float, value: Any) -> tuple[Any, Any]:
    """Return a running mean and variance after one more value, of each row if they are rows.

    A product, and no power, whose last bit a C library would decide.
    """
    deviation = value - mean
    return mean + alpha * deviation, var + alpha * (deviation * deviation - var)


class Normalizing(Protocol):
    """What is asked of a NormalizedEnv: how it normalises, and to take what was learned."""

    update_running_mean: bool

    @property
    def action_space(self) -> gymnasium.Space:
        """The space of actions."""

    @property
    def alphas(self) -> dict[str, float]:
        """Of each that is normalised, the weight of the newest value."""

    def normalizers(self) -> dict[str, dict[str, Any]]:
        """Return `mean`, `var` and `count` of each that is normalised."""

    def take(self, name: str, values: Mapping[str, Any]) -> None:
        """Go on from other running statistics, whatever they are."""

    def to_bounds(self, actions: Any) -> Any:
        """Stretch actions, of one environment or of N, to the bounds of what is wrapped."""

    def as_given_out(self, observations: np.ndarray) -> np.ndarray:
        """Give normalised observations the dtype of the space."""

    def as_scaled(self, rewards: Any) -> Any:
        """Multiply normalised rewards by the factor for all."""


class RunningRows:
    """A running mean and variance of each of N environments, as each would have its own.

    Args:
        begun: `mean`, `var` and `count` that all begin with.
        n_envs: N.
    """

    def __init__(self, begun: Mapping[str, Any], n_envs: int) -> None:
        self.mean, self.var, self.count = (
            np.stack([np.asarray(begun[key], dtype)] * n_envs)
            for key, dtype in (("mean", np.float64), ("var", np.float64), ("count", np.int64))
        )

    def learn(self, values: np.ndarray, rows: np.ndarray | slice, alpha: float) -> None:
        """Take one more value of each of these environments, shape (M, ...); alpha: its weight."""
        self.mean[rows], self.var[rows] = moved(self.mean[rows], self.var[rows], alpha, values)
        self.count[rows] += 1


_ALL = slice(None)


class NormalizedVector(VectorEnvironment):
    """Bring actions, observations and rewards of N environments to a common scale.

    Each has statistics of its own, as copies of a NormalizedEnv have, in the same arithmetic: where
    what is stepped gives the same bits, so does this. The NormalizedEnv itself is told the
    statistics of all together after each batch.

    Args:
        env: how to normalise, what to begin with, and who is told.
        vector: what is stepped.
    """

    def __init__(self, env: Normalizing, vector: VectorEnvironment) -> None:
        self._vector = vector
        self._env = env
        self._running = {
            name: RunningRows(begun, vector.n_envs) for name, begun in env.normalizers().items()
        }
        self._action_space = batch_space(env.action_space, vector.n_envs)
        self._idle = np.zeros(vector.n_envs, bool)
        self.n_envs = vector.n_envs
        self.idles = vector.idles

    @property
    def action_space(self) -> gymnasium.Space:
        """The space of N actions at once."""
        return self._action_space

    @property
    def needs_reset(self) -> bool:  # type: ignore[override]
        """Whether the next call must be `reset`."""
        return self._vector.needs_reset

    @property
    def needs_seeds(self) -> bool:  # type: ignore[override]
        """Whether no generator was ever seeded."""
        return self._vector.needs_seeds

    def as_new(self) -> dict[str, Any]:
        """Return the state of one like it that is yet to be reset; what it has learned is kept."""
        return dict(self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        """Return None: a copy of an environment is for a single one, to play in."""

    def reset(self, seeds: Sequence[int] | None = None) -> np.ndarray:
        """Begin an episode everywhere; return observations of shape (N, O*)."""
        self._idle = np.zeros(self.n_envs, bool)
        return self._normalized(self._vector.reset(seeds))

    def step(self, actions: np.ndarray) -> VectorStep:
        """Take one step in each environment; begin a new episode where one has ended."""
        step = self._vector.step(self._env.to_bounds(actions))
        rewards = self._scaled(step.rewards.astype(np.float64))
        last = step.last_observations
        if last is not None:  # seen before what the next episodes begin with
            last = self._normalized(last, np.flatnonzero(step.ended))
        if self.idles:
            self._idle = step.ended
        observations = self._normalized(step.observations)
        return step._replace(observations=observations, rewards=rewards, last_observations=last)

    def _scaled(self, rewards: np.ndarray) -> np.ndarray:
        running = self._running.get("reward")
        if running is not None:
            if self._env.update_running_mean:
                rows = np.flatnonzero(~self._idle) if self._idle.any() else _ALL
                running.learn(rewards[rows], rows, self._env.alphas["reward"])
            rewards = rewards / (np.sqrt(running.var) + TINY)
        scaled: np.ndarray = self._env.as_scaled(rewards)
        return scaled

    def _normalized(self, observations: np.ndarray, rows: np.ndarray | slice = _ALL) -> np.ndarray:
        running = self._running.get("observation")
        if running is None:
            return observations
        observations = observations.reshape(-1, *running.mean.shape[1:])
        if self._env.update_running_mean:
            running.learn(observations, rows, self._env.alphas["observation"])
        over = np.sqrt(running.var[rows]) + TINY
        return self._env.as_given_out((observations - running.mean[rows]) / over)

    def tell(self) -> None:
        """Let the environment that this was made of know what was learned."""
        self._vector.tell()
        for name, running in self._running.items():
            self._env.take(name, pooled(running.mean, running.var, running.count))

    def close(self) -> None:
        """Release what the environments hold."""
        self._vector.close()
