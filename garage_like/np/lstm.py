"""LSTM: a cell whose state is what it shows and what it keeps to itself, in NumPy."""

from __future__ import annotations

import numpy as np

from garage_like.np.mlp import sigmoid


class LSTM:
    """Step a long short-term memory on weights that it does not own.

    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. A state is [h, c]:

        [i, f, o, g] = x W + b + h U
        c' = sigmoid(f) c + sigmoid(i) tanh(g)
        h' = sigmoid(o) tanh(c')

    Args:
        input_weights: W, shape (D, 4 * H), float32.
        state_weights: U, shape (H, 4 * H).
        biases: b, shape (4 * H,).

    Attributes:
        hidden_dim: H.
        state_dim: numbers that make up a state: 2 * H.
    """

    def __init__(
        self, input_weights: np.ndarray, state_weights: np.ndarray, biases: np.ndarray
    ) -> None:
        self._input_weights = input_weights
        self._state_weights = state_weights
        self._biases = biases.reshape(1, -1)
        self.hidden_dim = len(state_weights)
        self.state_dim = 2 * self.hidden_dim

    def __call__(self, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return the states, shape (N, 2 * H), that follow `states` on inputs of shape (N, D)."""
        width = self.hidden_dim
        x = inputs.dot(self._input_weights)
        x += self._biases
        x += states[:, :width].dot(self._state_weights)
        gates = sigmoid(x[:, : 3 * width])
        cells = gates[:, width : 2 * width] * states[:, width:]
        cells += gates[:, :width] * np.tanh(x[:, 3 * width :])
        return np.concatenate([gates[:, 2 * width :] * np.tanh(cells), cells], axis=1)
