"""Dense: a multi-layer perceptron, forwards and backwards, in NumPy on the module's own memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from garage_like.torch.modules.mlp import MLP

GradientOf = Callable[[torch.Tensor], torch.Tensor]
"""Returns where the gradient of a parameter is to be written."""

_ACTIVATIONS = {nn.Tanh: "tanh", nn.ReLU: "relu"}
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

_LARGE = 1 << 21  # multiplications


def is_plain(module: nn.Module, network: MLP) -> bool:
    """Tell whether Dense computes what a module does that merely calls `network`.

    Args:
        module: of one of the framework's own classes; what it does beside is the caller's affair.
        network: its perceptron: hidden layers with tanh or ReLU, no output nonlinearity.
    """
    if type(network) is not MLP or len(network.norms) or not len(network.hidden):
        return False
    if type(network.output_nonlinearity) is not nn.Identity:
        return False
    if type(network.hidden_nonlinearity) not in _ACTIVATIONS:
        return False
    if any(getattr(part, hooks) for part in module.modules() for hooks in _HOOKS):
        return False
    parameters = list(network.parameters())
    layers = [*network.hidden, network.output]
    return all(type(layer) is nn.Linear for layer in layers) and all(
        p.device.type == "cpu" and p.dtype == torch.float32 for p in parameters
    )


class _Layer(NamedTuple):
    """Views of one layer's memory.

    Attributes:
        transposed: weights, shape (inputs, outputs), for the way forwards.
        weight: the same, shape (outputs, inputs), for the way back.
        bias: shape (1, outputs).
        weight_gradient: shape (outputs, inputs).
        bias_gradient: shape (outputs,).
    """

    transposed: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    weight_gradient: np.ndarray | None
    bias_gradient: np.ndarray | None


class _Scratch:
    """Room for a batch of a given number of rows, used again by each batch like it."""

    def __init__(self, rows: int, widths: list[int]) -> None:
        shapes = [(rows, width) for width in widths]
        self.outputs = [np.empty(shape, np.float32) for shape in shapes]
        self.deltas = [np.empty(shape, np.float32) for shape in shapes]
        self.slopes = [np.empty(shape, np.float32) for shape in shapes]
        self.masks = [np.empty(shape, bool) for shape in shapes]
        self.zeros = [np.zeros(shape, np.float32) for shape in shapes]
        self.ones = np.ones(rows, np.float32)


class Dense:
    """Compute a perceptron and the gradients of its parameters, as autograd would.

    Arrays that methods return are overwritten by the next batch of as many rows.

    Args:
        network: `is_plain`.
        gradient_of: where gradients go; None for a network that is only looked through.
    """

    def __init__(self, network: MLP, gradient_of: GradientOf | None = None) -> None:
        self._is_tanh = type(network.hidden_nonlinearity) is nn.Tanh
        self._layers = [
            _layer_of(layer, gradient_of) for layer in (*network.hidden, network.output)
        ]
        self._widths = [layer.bias.shape[1] for layer in self._layers]
        self._rooms: dict[int, _Scratch] = {}
        self._inputs: list[np.ndarray] = []
        self._room = _Scratch(0, self._widths)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map shape (B, inputs) to shape (B, outputs); remember what `backward` needs."""
        rows = len(x)
        room = self._rooms.get(rows)
        if room is None:
            room = self._rooms[rows] = _Scratch(rows, self._widths)
        self._room = room
        self._inputs = inputs = [x]
        is_tanh, last = self._is_tanh, len(self._layers) - 1
        for number, layer in enumerate(self._layers):
            out = room.outputs[number]
            _multiply(x, layer.transposed, out)
            np.add(out, layer.bias, out=out)
            if number == last:
                return out
            if is_tanh:
                np.tanh(out, out=out)
            else:
                # Five times as fast as to compare with one 0.
                np.maximum(out, room.zeros[number], out=out)
            inputs.append(out)
            x = out
        raise AssertionError("a perceptron has an output layer")

    def backward(self, delta: np.ndarray) -> None:
        """Write the gradients of all parameters.

        Args:
            delta: shape (B, outputs), gradient of the loss with respect to the outputs.
        """
        ones = self._room.ones
        for number in range(len(self._layers) - 1, -1, -1):
            layer, x = self._layers[number], self._inputs[number]
            assert layer.weight_gradient is not None
            _multiply(delta.T, x, layer.weight_gradient)
            np.dot(ones, delta, out=layer.bias_gradient)
            if number:
                delta = self._through(number, delta)

    def backward_to_inputs(self, delta: np.ndarray, first: int = 0) -> np.ndarray:
        """Return the gradient with respect to inputs `first` and up, shape (B, inputs - first).

        Gradients of parameters are left alone.
        """
        for number in range(len(self._layers) - 1, 0, -1):
            delta = self._through(number, delta)
        return delta.dot(self._layers[0].weight[:, first:])

    def _through(self, number: int, delta: np.ndarray) -> np.ndarray:
        """Take the gradient back through a layer's weights and the nonlinearity before them."""
        room, before = self._room, number - 1
        out, hidden = room.deltas[before], self._inputs[number]
        _multiply(delta, self._layers[number].weight, out)
        if self._is_tanh:
            slope = room.slopes[before]
            np.multiply(hidden, hidden, out=slope)
            np.subtract(1.0, slope, out=slope)
            return np.multiply(out, slope, out=out)
        mask = room.masks[before]
        np.greater(hidden, room.zeros[before], out=mask)
        return np.multiply(out, mask, out=out)


def _multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """Multiply matrices, small ones in NumPy, large ones in torch, which is a fifth faster then."""
    if a.size * b.shape[1] < _LARGE:
        np.dot(a, b, out=out)
    else:
        torch.mm(torch.from_numpy(a), torch.from_numpy(b), out=torch.from_numpy(out))


def _layer_of(layer: nn.Module, gradient_of: GradientOf | None) -> _Layer:
    assert isinstance(layer, nn.Linear)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    gradients = [
        None if gradient_of is None else gradient_of(parameter).numpy()
        for parameter in (layer.weight, layer.bias)
    ]
    return _Layer(weight.T, weight, bias[None], *gradients)
