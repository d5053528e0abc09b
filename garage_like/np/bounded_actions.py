"""Actions within bounds: squashed by tanh into [-1, 1], then scaled to a Box."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium import spaces

from garage_like.np.actors import Network
from garage_like.np.observations import flatten_observations


def action_range(space: gymnasium.Space) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and half width of a Box, each of shape (K,), float32.

    Where it has no bounds, they are 0 and 1.
    """
    assert isinstance(space, spaces.Box)
    low, high = space.low.reshape(-1).astype(np.float64), space.high.reshape(-1).astype(np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    return ((high + low) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)


class ScaledNetwork:
    """Scale what another network puts out.

    Args:
        network: gives shape (N, K).
        centre: shape (K,), added.
        scale: shape (K,), multiplied by.
    """

    def __init__(self, network: Network, centre: np.ndarray, scale: np.ndarray) -> None:
        self._network = network
        self._centre = centre[None]
        self._scale = scale[None]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Map flat observations, shape (N, D), to shape (N, K)."""
        outputs = self._network(rows)
        outputs *= self._scale
        outputs += self._centre
        return outputs


class TanhGaussianActor:
    """Squash normally distributed numbers into the bounds of a Box.

    Args:
        network: gives means and logarithms of standard deviations side by side, shape (N, 2 K).
        observation_space: what observations are flattened by.
        action_shape: of an action, of K elements.
        centre: of the bounds, shape (K,); see `action_range`.
        scale: half of what lies between them, shape (K,).
        log_std_range: what the logarithms are clipped to.
    """

    def __init__(
        self,
        network: Network,
        observation_space: gymnasium.Space,
        action_shape: tuple[int, ...],
        centre: np.ndarray,
        scale: np.ndarray,
        log_std_range: tuple[float, float],
    ) -> None:
        self._network = network
        self._space = observation_space
        self._action_shape = action_shape
        self._centre, self._scale = centre[None], scale[None]
        self._log_std_range = log_std_range

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return actions of shape (N, A*), and `mean`, what the mean of the numbers becomes."""
        outputs = self._network(flatten_observations(self._space, observations))
        half = outputs.shape[1] // 2
        means, log_stds = outputs[:, :half], outputs[:, half:]
        lowest, highest = self._log_std_range
        stds = np.exp(np.minimum(np.maximum(log_stds, lowest), highest))
        numbers = rng.standard_normal(means.shape, np.float32)
        numbers *= stds
        numbers += means
        return self._squash(numbers), {"mean": self._squash(means)}

    def _squash(self, numbers: np.ndarray) -> np.ndarray:
        actions = np.tanh(numbers)
        actions *= self._scale
        actions += self._centre
        return actions.reshape(len(actions), *self._action_shape)
