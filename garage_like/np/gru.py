"""GRU: a cell with one state, in NumPy."""

from __future__ import annotations

import numpy as np

from garage_like.np.mlp import sigmoid


class GRU:
    """Step a gated recurrent unit on weights that it does not own.

    Cho et al. 2014, arXiv:1406.1078, with the reset gate after the product as in cuDNN, so that a
    step takes one product with the state:

        [z, r, c] = x W + b        [u_z, u_r, u_c] = h U
        z = sigmoid(z + u_z)       r = sigmoid(r + u_r)
        h' = z h + (1 - z) tanh(c + r u_c)

    Args:
        input_weights: W, shape (D, 3 * H), float32.
        state_weights: U, shape (H, 3 * H).
        biases: b, shape (3 * H,).

    Attributes:
        hidden_dim: H.
        state_dim: numbers that make up a state: H.
    """

    def __init__(
        self, input_weights: np.ndarray, state_weights: np.ndarray, biases: np.ndarray
    ) -> None:
        self._input_weights = input_weights
        self._state_weights = state_weights
        self._biases = biases.reshape(1, -1)
        self.hidden_dim = self.state_dim = len(state_weights)

    def __call__(self, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return the states, shape (N, H), that follow `states` on inputs of shape (N, D)."""
        width, gated = self.hidden_dim, 2 * self.hidden_dim
        x = inputs.dot(self._input_weights)
        x += self._biases
        u = states.dot(self._state_weights)
        gates = sigmoid(x[:, :gated] + u[:, :gated])
        update, reset = gates[:, :width], gates[:, width:]
        candidate = np.tanh(x[:, gated:] + reset * u[:, gated:])
        following: np.ndarray = candidate + update * (states - candidate)
        return following
