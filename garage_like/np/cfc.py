"""CfC: a cell that follows a differential equation in closed form, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from garage_like.np.mlp import sigmoid


class CfC:
    """Step a closed-form continuous-time network on weights that it does not own.

    Hasani et al. 2022 (Nature Machine Intelligence 4, 992), arXiv:2106.13898, equation 10. Between
    two steps the state moves from one function of what is sensed to another, as far as the time
    since the last step says:

        g = tanh(x W_g + h U_g + b_g)            k = tanh(x W_k + h U_k + b_k)
        s = sigmoid(t f),  f = x W_f + h U_f + b_f        h' = g + s (k - g)

    Env steps are a time t apart that is always the same: it is 1 here. Where neurons are wired in
    layers (`NeuralCircuit`), a layer hears the states h' of the one before.

    Args:
        input_weights: W, shape (D, 3 * H), float32: g, k and f side by side.
        state_weights: U, shape (H, 3 * H).
        biases: b, shape (3 * H,).
        layers: first and last (exclusive) neuron of each, in the order in which they are stepped;
            each begins where the next one stops.
        hidden_dim: how many neurons, from the first, the outside sees.

    Attributes:
        hidden_dim: as given.
        state_dim: numbers that make up a state: H.
    """

    def __init__(
        self,
        input_weights: np.ndarray,
        state_weights: np.ndarray,
        biases: np.ndarray,
        layers: Sequence[tuple[int, int]],
        hidden_dim: int,
    ) -> None:
        self.hidden_dim, self.state_dim = hidden_dim, len(state_weights)
        self._input_weights = input_weights
        self._biases = biases.reshape(1, -1)
        self._layers = []
        by_gate = state_weights.reshape(self.state_dim, 3, self.state_dim)
        for (start, stop), heard in zip(layers, heard_by(layers), strict=True):
            weights = by_gate[start:heard, :, start:stop].reshape(heard - start, -1)
            self._layers.append((start, stop, heard, weights))

    def __call__(self, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return the states, shape (N, H), that follow `states` on inputs of shape (N, D)."""
        x = inputs.dot(self._input_weights)
        x += self._biases
        by_gate = x.reshape(len(x), 3, self.state_dim)
        following = states.copy()
        for start, stop, heard, weights in self._layers:
            # The layer before has been stepped, this one has not.
            u = following[:, start:heard].dot(weights).reshape(len(x), 3, stop - start)
            u += by_gate[:, :, start:stop]
            ends = np.tanh(u[:, :2])
            share = sigmoid(u[:, 2])
            following[:, start:stop] = ends[:, 0] + share * (ends[:, 1] - ends[:, 0])
        return following


def heard_by(layers: Sequence[tuple[int, int]]) -> list[int]:
    """Return up to which neuron (exclusive) each layer hears: itself, and the one before."""
    return [
        stop if number == 0 else layers[number - 1][1] for number, (_, stop) in enumerate(layers)
    ]
