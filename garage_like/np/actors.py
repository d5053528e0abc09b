"""NumPy actors: a forward pass, and actions drawn from the caller's generator.

Policies of every backend hand these to samplers; a decision costs about 8 microseconds where a
framework's costs 80.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import gymnasium
import numpy as np

from garage_like.np.observations import flatten_observations

Network = Callable[[np.ndarray], np.ndarray]
"""Maps flat observations, shape (N, D), float32, to outputs, shape (N, K), float32."""

_FEW = 64


def sample_categorical(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one category for each row by inverting its cumulative distribution.

    Args:
        logits: shape (N, K), log-probabilities up to a constant for each row.
        rng: draws one uniform number for each row.

    Returns:
        Shape (N,), int64.

    Raises:
        ValueError: if a row has no finite distribution, as after a diverged update.
    """
    rows = len(logits)
    if logits.size <= _FEW:
        uniforms = rng.random(rows).tolist() if rows > 1 else [rng.random()]
        return np.array([*map(_sample_one, logits.tolist(), uniforms)], np.int64)
    weights = logits.astype(np.float64)
    weights -= weights.max(axis=1, keepdims=True)
    np.exp(weights, weights)
    cumulative = weights.cumsum(axis=1)
    totals = cumulative[:, -1:]
    if not np.isfinite(totals).all():
        raise not_finite(logits[np.argmin(np.isfinite(totals[:, 0]))].tolist())
    actions = (cumulative <= rng.random((rows, 1)) * totals).sum(axis=1)
    return np.minimum(actions, logits.shape[1] - 1)


def _sample_one(logits: list[float], uniform: float) -> int:
    """Do what `sample_categorical` does, for one row in plain floats: quicker while few."""
    largest = max(logits)
    cumulative, total = [], 0.0
    for logit in logits:
        total += math.exp(logit - largest)
        cumulative.append(total)
    if not math.isfinite(total):
        raise not_finite(logits)
    threshold = uniform * total
    for action, mass in enumerate(cumulative):
        if threshold < mass:
            return action
    return len(logits) - 1


def not_finite(logits: list[float]) -> ValueError:
    """Return the error for a row of logits that are no distribution."""
    return ValueError(
        f"the policy's outputs must be finite, got logits {logits!r}; training has diverged: "
        "lower the learning rate, or restore an earlier snapshot"
    )


class CategoricalActor:
    """Choose among K actions.

    Args:
        network: gives the logits, shape (N, K). One that has a method `draw(observations, rng)`,
            which returns actions as well, chooses itself.
        observation_space: what observations are flattened by.
    """

    def __init__(self, network: Network, observation_space: gymnasium.Space) -> None:
        self._network = network
        self._draw = getattr(network, "draw", None)
        self._space = observation_space

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions of shape (N,), and `logits` of shape (N, K)."""
        rows = flatten_observations(self._space, observations)
        if self._draw is not None:
            logits, actions = self._draw(rows, rng)
            return actions, {"logits": logits}
        logits = self._network(rows)
        return sample_categorical(logits, rng), {"logits": logits}


class GaussianActor:
    """Draw continuous actions around a mean.

    Args:
        network: gives the means, shape (N, K).
        log_std: shape (K,), as it is now.
        observation_space: what observations are flattened by.
        action_shape: A*, of K elements.
    """

    def __init__(
        self,
        network: Network,
        log_std: np.ndarray,
        observation_space: gymnasium.Space,
        action_shape: tuple[int, ...],
    ) -> None:
        self._network = network
        self._std = np.exp(log_std)[None]
        self._log_stds = log_std[None]
        self._space = observation_space
        self._action_shape = None if len(action_shape) == 1 else action_shape

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions of shape (N, A*), and `mean` and `log_std` of shape (N, K)."""
        means = self._network(flatten_observations(self._space, observations))
        actions = rng.standard_normal(means.shape, np.float32)
        actions *= self._std
        actions += means
        if len(self._log_stds) != len(means):
            self._log_stds = np.repeat(self._log_stds[:1], len(means), axis=0)
        infos = {"mean": means, "log_std": self._log_stds}
        if self._action_shape is not None:
            actions = actions.reshape(len(actions), *self._action_shape)
        return actions, infos


class AdaptiveGaussianActor:
    """Draw continuous actions around a mean, each observation with deviations of its own.

    Args:
        network: gives means and logarithms of standard deviations side by side, shape (N, 2 K).
        observation_space: what observations are flattened by.
        action_shape: A*, of K elements.
    """

    def __init__(
        self, network: Network, observation_space: gymnasium.Space, action_shape: tuple[int, ...]
    ) -> None:
        self._network = network
        self._space = observation_space
        self._action_shape = action_shape

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions of shape (N, A*), and `mean` and `log_std` of shape (N, K)."""
        outputs = self._network(flatten_observations(self._space, observations))
        means, log_stds = np.split(outputs, 2, axis=1)
        noise = rng.standard_normal(means.shape, np.float32)
        actions = means + np.exp(log_stds) * noise
        infos = {"mean": means, "log_std": log_stds}
        return actions.reshape(len(actions), *self._action_shape), infos


class DeterministicActor:
    """Act as a network says, without noise.

    Args:
        network: gives one row of K numbers for each observation.
        observation_space: what observations are flattened by.
        action_shape: A*, of K elements; None takes the index of the largest number instead.
    """

    def __init__(
        self,
        network: Network,
        observation_space: gymnasium.Space,
        action_shape: tuple[int, ...] | None,
    ) -> None:
        self._network = network
        self._space = observation_space
        self._action_shape = action_shape

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions of shape (N, A*) or (N,), and no infos."""
        outputs = self._network(flatten_observations(self._space, observations))
        if self._action_shape is None:
            return outputs.argmax(axis=1), {}
        return outputs.reshape(len(outputs), *self._action_shape), {}
