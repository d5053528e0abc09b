"""DuelingNetwork: values of actions as the value of the state and what each action adds to it."""

from __future__ import annotations

import numpy as np

from garage_like.np.actors import Network


class DuelingNetwork:
    """Compute Q(s, a) = V(s) + A(s, a) - mean A(s, .).

    Equation 9 of Wang et al. 2016, arXiv:1511.06581.

    Args:
        network: gives V and A side by side, shape (N, 1 + K).
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Map flat observations, shape (N, D), to values, shape (N, K)."""
        outputs = self._network(rows)
        advantages = outputs[:, 1:]
        return outputs[:, :1] + advantages - advantages.mean(axis=1, keepdims=True)
