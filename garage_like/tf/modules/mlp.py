"""MLP: a multi-layer perceptron that can also hand itself over to NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from garage_like.np import mlp as np_mlp
from garage_like.tf.modules.flat_variables import FlatVariables
from garage_like.tf.modules.initializers import (
    Initializer,
    as_array,
    make_variable,
    xavier_uniform,
    zeros,
)
from garage_like.tf.modules.module import Module
from garage_like.tf.quiet_import import tf

Nonlinearity = Callable[[tf.Tensor], tf.Tensor] | None

# What NumPy can do as well, by its name in garage_like.np.mlp.ACTIVATIONS.
_BY_NAME: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "elu": tf.nn.elu,
    "softplus": tf.nn.softplus,
    "silu": tf.nn.silu,
    "identity": tf.identity,
}
_NAMES = {function: name for name, function in _BY_NAME.items()}
_NORM_EPSILON = 1e-5


class Layer(NamedTuple):
    """Weights, shape (inputs, outputs), and biases, shape (outputs,)."""

    weight: tf.Variable
    bias: tf.Variable


class Norm(NamedTuple):
    """What a normalised layer is multiplied by, and what is added, both of shape (outputs,)."""

    scale: tf.Variable
    shift: tf.Variable


class MLP(Module):
    """Compute a multi-layer perceptron.

    Args:
        input_dim: inputs.
        output_dim: outputs.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: function of a tensor; None for none.
        hidden_w_init: maps a shape (inputs, outputs) to weights.
        hidden_b_init: maps a shape (outputs,) to biases.
        output_nonlinearity: as hidden_nonlinearity.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity.

    Attributes:
        layers: weights, shape (inputs, outputs), and biases, shape (outputs,), of each layer.
        norms: scale and shift, shape (outputs,), of each hidden layer, if normalised.

    Raises:
        ValueError: if a hidden size is no positive integer.
        TypeError: if a nonlinearity is none of what it may be.
    """

    _lent: FlatVariables | None = None

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = tf.tanh,
        hidden_w_init: Initializer = xavier_uniform,
        hidden_b_init: Initializer = zeros,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = xavier_uniform,
        output_b_init: Initializer = zeros,
        layer_normalization: bool = False,
        name: str | None = None,
    ) -> None:
        pairs = list(pairwise(np_mlp.layer_sizes(input_dim, hidden_sizes, output_dim)))
        inits = [(hidden_w_init, hidden_b_init)] * len(hidden_sizes)
        inits.append((output_w_init, output_b_init))
        self.hidden_nonlinearity = as_activation("hidden_nonlinearity", hidden_nonlinearity)
        self.output_nonlinearity = as_activation("output_nonlinearity", output_nonlinearity)
        self.layers = [
            Layer(
                make_variable(w_init, shape, f"layer_{i}_weight"),
                make_variable(b_init, shape[1:], f"layer_{i}_bias"),
            )
            for i, (shape, (w_init, b_init)) in enumerate(zip(pairs, inits, strict=True))
        ]
        self.norms = [
            Norm(
                make_variable(np.ones, (size,), f"norm_{i}_scale"),
                make_variable(zeros, (size,), f"norm_{i}_shift"),
            )
            for i, (_, size) in enumerate(pairs[:-1])
            if layer_normalization
        ]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Map shape (N, input_dim) to shape (N, output_dim)."""
        *hidden, (output_weight, output_bias) = self.layers
        activate = activation_function(self.hidden_nonlinearity)
        for index, (weight, bias) in enumerate(hidden):
            x = tf.matmul(x, weight) + bias
            if self.norms:
                x = _normalise(x, *self.norms[index])
            x = activate(x)
        x = tf.matmul(x, output_weight) + output_bias
        return activation_function(self.output_nonlinearity)(x)

    def lend(self, weights: FlatVariables) -> None:
        """Act, until `take_back`, on the weights in C's memory: the variables are older."""
        self._lent = weights

    def take_back(self) -> None:
        """Act on the variables again."""
        vars(self).pop("_lent", None)

    def to_numpy(self) -> np_mlp.MLP | None:
        """Return the same network on copies of the weights, or None if NumPy cannot do it."""
        hidden, output = self.hidden_nonlinearity, self.output_nonlinearity
        if not isinstance(hidden, str) or not isinstance(output, str) or self.norms:
            return None
        if self._lent is not None:
            arrays = self._lent.copies()
        else:
            arrays = [as_array(variable) for layer in self.layers for variable in layer]
        layers = list(zip(arrays[::2], arrays[1::2], strict=True))
        return np_mlp.MLP(layers, np_mlp.ACTIVATIONS[hidden], np_mlp.ACTIVATIONS[output])


def as_activation(name: str, nonlinearity: Nonlinearity) -> str | Callable[[tf.Tensor], tf.Tensor]:
    """Return the name of a nonlinearity that NumPy knows, or the function; `name`: the argument's.

    A name is what a snapshot can hold of TensorFlow's functions.
    """
    if nonlinearity is None:
        return "identity"
    if isinstance(nonlinearity, type) or not callable(nonlinearity):
        raise TypeError(
            f"{name} must be a function of a tensor, such as tf.tanh, or None, got {nonlinearity!r}"
        )
    return _NAMES.get(nonlinearity, nonlinearity)


def activation_function(
    activation: str | Callable[[tf.Tensor], tf.Tensor],
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the function that `as_activation` may have replaced by its name."""
    return _BY_NAME[activation] if isinstance(activation, str) else activation


def _normalise(x: tf.Tensor, scale: tf.Variable, shift: tf.Variable) -> tf.Tensor:
    """Give each row mean 0 and variance 1, then scale and shift it (Ba et al. 2016)."""
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + _NORM_EPSILON) * scale + shift
