"""CompiledMLP: what acts and predicts values, by the same products as gradient steps."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from garage_like.np.actors import not_finite
from garage_like.np.compiled.binding import Look, shape_of, steps
from garage_like.np.mlp import Activation

FINE = -1


class CompiledMLP:
    """Do what `garage_like.np.mlp.MLP` does, in one call.

    A row's outputs are the same bits whatever rows are beside it.

    Args:
        layers: for each layer its weights, shape (outputs, inputs), and biases, shape (outputs,);
            float32 in rows. They are not copied, and read again at each call.
        is_tanh: what follows each layer but the last: tanh, or else ReLU.
        output_activation: what follows the last; None for nothing.

    Raises:
        ValueError: if the library cannot take it: `can_take` tells.
    """

    def __init__(
        self,
        layers: Sequence[tuple[np.ndarray, np.ndarray]],
        is_tanh: bool,
        output_activation: Activation | None = None,
    ) -> None:
        library = steps()
        shape = shape_of([layers[0][0].shape[1], *(len(bias) for _, bias in layers)], is_tanh)
        if library is None or shape is None or not can_take(layers):
            raise ValueError("CompiledMLP: the library in C cannot take this network")
        self._made_of = layers, is_tanh, output_activation
        self._output_activation = output_activation
        self._outputs = len(layers[-1][1])
        self._asked = asked = Look(shape)
        for number, (weight, bias) in enumerate(layers):
            asked.weights[number], asked.biases[number] = weight.ctypes.data, bias.ctypes.data
        self._look, self._bits = library.look, library.bits
        self._address = ctypes.addressof(asked)

    def __reduce__(self) -> tuple[type[CompiledMLP], tuple[object, ...]]:
        """Return what makes it again: addresses mean nothing elsewhere."""
        return CompiledMLP, self._made_of

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map inputs, shape (N, inputs), float32, to outputs, shape (N, outputs)."""
        outputs = np.empty((len(x), self._outputs), np.float32)
        self._look(self._address, self._bits, _in_rows(x), outputs)
        return outputs if self._output_activation is None else self._output_activation(outputs)

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Take outputs as logits: return them, shape (N, K), and a category each, shape (N,).

        Raises:
            ValueError: if a row has no finite distribution, as after a diverged update.
        """
        rows = len(x)
        outputs, actions = np.empty((rows, self._outputs), np.float32), np.empty(rows, np.int64)
        uniforms = rng.random(rows)
        odd = self._look(self._address, self._bits, _in_rows(x), outputs, uniforms, actions)
        if odd != FINE:
            raise not_finite(outputs[odd].tolist())
        return outputs, actions


def can_take(layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Tell whether a perceptron's weights and biases are numbers that the library reads."""
    return (
        steps() is not None
        and shape_of([0] * (len(layers) + 1), True) is not None
        and all(
            a.dtype == np.float32 and a.flags.c_contiguous and a.size
            for pair in layers
            for a in pair
        )
    )


def _in_rows(x: np.ndarray) -> np.ndarray:
    flags = x.flags
    is_ready = x.dtype == np.float32 and flags.c_contiguous and flags.aligned
    return x if is_ready else np.require(x, np.float32, ("C", "A"))
