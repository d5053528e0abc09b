"""Dense: a multi-layer perceptron, forwards and backwards, in NumPy on the module's own memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from garage_like.torch.modules.mlp import MLP

GradientOf = Callable[[torch.Tensor], torch.Tensor]
"""Returns where the gradient of a parameter is to be written."""

_ACTIVATIONS = {nn.Tanh: "tanh", nn.ReLU: "relu"}
_aten = torch.ops.aten
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

_MANY = 1 << 14  # elements of an array


def is_plain(module: nn.Module, network: MLP, output: type[nn.Module] = nn.Identity) -> bool:
    """Tell whether Dense computes what a module does that merely calls `network`.

    Args:
        module: of one of the framework's own classes; what it does beside is the caller's affair.
        network: its perceptron: hidden layers with tanh or ReLU.
        output: its output nonlinearity, which Dense leaves to the caller.
    """
    if type(network) is not MLP or len(network.norms) or not len(network.hidden):
        return False
    if type(network.output_nonlinearity) is not output:
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
        weight: shape (outputs, inputs).
        bias: shape (1, outputs), which is added twice as fast.
        weight_gradient: shape (outputs, inputs).
        bias_gradient: shape (outputs,).
    """

    weight: np.ndarray
    bias: np.ndarray
    weight_gradient: np.ndarray | None
    bias_gradient: np.ndarray | None


class _Scratch:
    """Room for a batch of a given number of rows, used again by each batch like it."""

    def __init__(self, rows: int, widths: list[int]) -> None:
        self.outputs = [np.empty((rows, width), np.float32) for width in widths]
        self.deltas = [np.empty((rows, width), np.float32) for width in widths]
        self.zeros = [np.zeros((rows, width), np.float32) for width in widths]
        self.ones = np.ones(rows, np.float32)


class Dense:
    """Compute a perceptron and the gradients of its parameters, as autograd would.

    Arrays are NumPy's, whose operations cost a microsecond where torch's cost three, and whose
    products take from 1 to 0.5 of torch's time at every size (an AMD processor, where torch's
    library leaves half of it unused). A few simple operations are torch's from some thousand
    elements on.

    Arrays that methods return are overwritten by the next batch of as many rows.

    Args:
        network: `is_plain`.
        gradient_of: where gradients go; None for a network that is only looked through.

    Attributes:
        widths: of the inputs and of each layer's outputs.
        is_tanh: whether hidden layers have tanh; else ReLU.
    """

    def __init__(self, network: MLP, gradient_of: GradientOf | None = None) -> None:
        self.is_tanh = type(network.hidden_nonlinearity) is nn.Tanh
        self._layers = [
            _layer_of(layer, gradient_of) for layer in (*network.hidden, network.output)
        ]
        self._widths = [layer.bias.shape[1] for layer in self._layers]
        self.widths = [self._layers[0].weight.shape[1], *self._widths]
        self._rooms: dict[int, _Scratch] = {}
        self._inputs: list[np.ndarray] = []
        self._room = _Scratch(0, self._widths)

    @property
    def addresses(self) -> list[tuple[int, int]]:
        """Where each weight and bias begins in memory, layer by layer, and how many numbers."""
        arrays = [array for layer in self._layers for array in (layer.weight, layer.bias)]
        return [(array.ctypes.data, array.size) for array in arrays]

    @property
    def is_in_a_row(self) -> bool:
        """Whether weights and biases lie one after another."""
        found = self.addresses
        return all(
            begin + 4 * size == following
            for (begin, size), (following, _) in itertools.pairwise(found)
        )

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Map shape (B, inputs) to shape (B, outputs); remember what `backward` needs."""
        rows = len(x)
        room = self._rooms.get(rows)
        if room is None:
            room = self._rooms[rows] = _Scratch(rows, self._widths)
        self._room = room
        self._inputs = [x]
        for number, layer in enumerate(self._layers[:-1]):
            x = _affine(x, layer, room.outputs[number])
            self._activate(x, room.zeros[number])
            self._inputs.append(x)
        return _affine(x, self._layers[-1], room.outputs[-1])

    def backward(self, delta: np.ndarray) -> None:
        """Write the gradients of all parameters.

        Args:
            delta: shape (B, outputs), gradient of the loss with respect to the outputs.
        """
        ones = self._room.ones
        for number in range(len(self._layers) - 1, -1, -1):
            layer, x = self._layers[number], self._inputs[number]
            assert layer.weight_gradient is not None
            np.dot(delta.T, x, out=layer.weight_gradient)
            np.dot(ones, delta, out=layer.bias_gradient)
            if number:
                delta = np.dot(delta, layer.weight, out=self._room.deltas[number - 1])
                self._multiply_by_slope(delta, x)

    def backward_to_inputs(self, delta: np.ndarray, rows: np.ndarray, first: int) -> np.ndarray:
        """Return the gradient with respect to inputs `first` and up, shape (R, inputs - first).

        Gradients of parameters are left alone.

        Args:
            delta: shape (R, outputs), gradient of the loss with respect to some rows of outputs.
            rows: shape (R,), which they are.
            first: inputs before it are passed over.
        """
        for number in range(len(self._layers) - 1, 0, -1):
            layer = self._layers[number]
            out = np.empty((len(rows), layer.weight.shape[1]), np.float32)
            delta = np.dot(delta, layer.weight, out=out)
            self._multiply_by_slope(delta, self._inputs[number].take(rows, axis=0))
        return delta.dot(self._layers[0].weight[:, first:])

    def _activate(self, x: np.ndarray, zeros: np.ndarray) -> None:
        """Apply the nonlinearity in place."""
        if self.is_tanh:
            np.tanh(x, out=x)
        elif x.size < _MANY:
            # Five times as fast as to compare with one 0.
            np.maximum(x, zeros, out=x)
        else:
            torch.from_numpy(x).relu_()

    def _multiply_by_slope(self, delta: np.ndarray, hidden: np.ndarray) -> None:
        """Multiply by the slope of the nonlinearity, where `hidden` is what came out of it."""
        if delta.size >= _MANY:
            gradient, output = torch.from_numpy(delta), torch.from_numpy(hidden)
            if self.is_tanh:
                _aten.tanh_backward.grad_input(gradient, output, grad_input=gradient)
            else:
                _aten.threshold_backward.grad_input(gradient, output, 0, grad_input=gradient)
        elif self.is_tanh:
            slope = hidden * hidden
            np.subtract(1.0, slope, out=slope)
            np.multiply(delta, slope, out=delta)
        else:
            np.multiply(delta, hidden > 0.0, out=delta)


def _affine(x: np.ndarray, layer: _Layer, out: np.ndarray) -> np.ndarray:
    """Compute x W^T + b."""
    np.dot(x, layer.weight.T, out=out)
    return np.add(out, layer.bias, out=out)


def _layer_of(layer: nn.Module, gradient_of: GradientOf | None) -> _Layer:
    assert isinstance(layer, nn.Linear)
    weight, bias = layer.weight.detach(), layer.bias.detach()
    gradients = [
        None if gradient_of is None else gradient_of(parameter).numpy()
        for parameter in (layer.weight, layer.bias)
    ]
    return _Layer(weight.numpy(), bias.numpy()[None], *gradients)
