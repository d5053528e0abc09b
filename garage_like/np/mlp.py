"""Multi-layer perceptrons in NumPy: what acts, five to ten times as fast as a framework does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

Activation = Callable[[np.ndarray], np.ndarray]
"""Changes an array of hidden units in place and returns it."""


def tanh(x: np.ndarray) -> np.ndarray:
    """Apply tanh in place."""
    return np.tanh(x, x)


def relu(x: np.ndarray) -> np.ndarray:
    """Apply max(x, 0) in place."""
    return np.maximum(x, 0.0, out=x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Apply 1 / (1 + exp(-x)) in place, as (1 + tanh(x / 2)) / 2, which cannot overflow."""
    x *= 0.5
    np.tanh(x, x)
    x += 1.0
    x *= 0.5
    return x


def elu(x: np.ndarray) -> np.ndarray:
    """Apply x if x > 0, else exp(x) - 1, in place."""
    np.copyto(x, np.expm1(np.minimum(x, 0.0)), where=x <= 0.0)
    return x


def softplus(x: np.ndarray) -> np.ndarray:
    """Apply log(1 + exp(x)) in place."""
    return np.logaddexp(x, 0.0, out=x)


def silu(x: np.ndarray) -> np.ndarray:
    """Apply x * sigmoid(x) in place."""
    x *= sigmoid(x.copy())
    return x


def identity(x: np.ndarray) -> np.ndarray:
    """Leave an array as it is."""
    return x


ACTIVATIONS: dict[str, Activation] = {
    f.__name__: f for f in (tanh, relu, sigmoid, elu, softplus, silu, identity)
}


class MLP:
    """Compute a multi-layer perceptron on weights that it does not own.

    Args:
        layers: for each layer its weights, shape (inputs, outputs), and biases, shape (outputs,);
            float32, and may be views of a framework's memory, which are read again at each call.
        activation: what follows each layer but the last.
        output_activation: what follows the last.
    """

    def __init__(
        self,
        layers: Sequence[tuple[np.ndarray, np.ndarray]],
        activation: Activation,
        output_activation: Activation = identity,
    ) -> None:
        # A bias of shape (1, outputs) is added to one row twice as fast as one of shape (outputs,).
        rows = [(weight, bias.reshape(1, -1)) for weight, bias in layers]
        *self._hidden, (self._output_weight, self._output_bias) = rows
        self._activation = activation
        self._output_activation = None if output_activation is identity else output_activation

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map inputs, shape (N, inputs), float32, to outputs, shape (N, outputs)."""
        activation = self._activation
        for weight, bias in self._hidden:
            x = x.dot(weight)
            x += bias
            x = activation(x)
        x = x.dot(self._output_weight)
        x += self._output_bias
        return x if self._output_activation is None else self._output_activation(x)


def layer_sizes(input_dim: int, hidden_sizes: Sequence[int], output_dim: int) -> list[int]:
    """Return the widths of all layers, input and output included.

    Raises:
        ValueError: if a hidden size is no positive integer.
    """
    sizes = hidden_sizes if isinstance(hidden_sizes, Iterable) else [None]
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(
                f"hidden_sizes must be positive integers, one for each layer, got {hidden_sizes!r}"
            )
    return [input_dim, *(int(size) for size in hidden_sizes), output_dim]


def split_layers(flat: np.ndarray, sizes: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut a flat vector into the layers that `MLP` takes, as views.

    Args:
        flat: weights then biases of each layer in turn.
        sizes: widths of all layers, as from `layer_sizes`.
    """
    layers, start = [], 0
    for inputs, outputs in pairwise(sizes):
        middle = start + inputs * outputs
        layers.append(
            (flat[start:middle].reshape(inputs, outputs), flat[middle : middle + outputs])
        )
        start = middle + outputs
    return layers


def num_params(sizes: Sequence[int]) -> int:
    """Return how many numbers `split_layers` takes."""
    return sum((i + 1) * o for i, o in pairwise(sizes))
