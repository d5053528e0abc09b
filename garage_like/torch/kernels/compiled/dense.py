"""A perceptron's passes forwards and backwards, by the library where there is one."""

from __future__ import annotations

import ctypes

import numpy as np
import torch

from garage_like.np.compiled.binding import Pass, Steps, address_of, shape_of, steps
from garage_like.torch.kernels.dense import Dense, GradientOf
from garage_like.torch.modules.mlp import MLP
from garage_like.torch.optimizers.flat_memory import lay_flat


def dense(network: MLP, gradient_of: GradientOf | None, compiled: bool) -> Dense:
    """Return what computes a perceptron: in C if wanted and there is a library, or in NumPy.

    Args:
        network: `is_plain`.
        gradient_of: where gradients go; None for a network that is only looked through.
        compiled: whether the run's optimizers began with the library.
    """
    library = steps() if compiled else None
    if library is None:
        return Dense(network, gradient_of)
    if gradient_of is None:
        lay_flat(list(network.parameters()))
    found = CompiledDense(library, network, gradient_of)
    return found if found.is_ready else Dense(network, gradient_of)


class CompiledDense(Dense):
    """Do what Dense does, a pass in one call.

    Args:
        library: computes the passes.
        network: `is_plain`.
        gradient_of: where gradients go; None for a network that is only looked through.
    """

    def __init__(self, library: Steps, network: MLP, gradient_of: GradientOf | None) -> None:
        super().__init__(network, gradient_of)
        self._library = library
        self._shape = shape_of(self.widths, self.is_tanh)
        self._weights = self.addresses[0][0]
        gradients = [] if gradient_of is None else [gradient_of(p) for p in _in_order(network)]
        begins = [gradient.data_ptr() for gradient in gradients]
        follow = [gradient.data_ptr() + 4 * gradient.numel() for gradient in gradients]
        self._gradient = begins[0] if begins else None
        self.is_ready = self._shape is not None and self.is_in_a_row and follow[:-1] == begins[1:]
        self._passes: dict[int, tuple[Pass, np.ndarray, np.ndarray]] = {}

    def forward(self, x: np.ndarray) -> np.ndarray:
        rows = len(x)
        if rows not in self._passes:
            self._passes[rows] = self._pass(rows)
        self._asked, outputs, _ = self._passes[rows]
        x = np.ascontiguousarray(x, np.float32)
        self._asked.inputs = address_of(x)
        self._library.forward_pass(ctypes.byref(self._asked))
        return outputs

    def _pass(self, rows: int) -> tuple[Pass, np.ndarray, np.ndarray]:
        assert self._shape is not None
        asked = Pass(shape=self._shape, weights=self._weights, rows=rows)
        outputs = np.empty((rows, self.widths[-1]), np.float32)
        room = np.empty(self._library.numbers_of_pass(ctypes.byref(asked)) + 16, np.float32)
        # From a multiple of 64 bytes on no vector lies in two lines of the cache.
        room = room[-(address_of(room) // 4) % 16 :]
        asked.outputs, asked.room = address_of(outputs), address_of(room)
        return asked, outputs, room

    def backward(self, delta: np.ndarray) -> None:
        self._go_back(delta, self._gradient, None)

    def backward_to_inputs(self, delta: np.ndarray, rows: np.ndarray, first: int) -> np.ndarray:
        every = np.zeros((self._asked.rows, self.widths[-1]), np.float32)
        every[rows] = delta
        by_inputs = np.empty((len(every), self.widths[0]), np.float32)
        self._go_back(every, None, address_of(by_inputs))
        return by_inputs[rows, first:]

    def _go_back(self, delta: np.ndarray, gradient: int | None, by_inputs: int | None) -> None:
        delta = np.ascontiguousarray(delta, np.float32)
        asked = self._asked
        asked.delta, asked.gradient, asked.by_inputs = address_of(delta), gradient, by_inputs
        self._library.backward_pass(ctypes.byref(asked))


def _in_order(network: MLP) -> list[torch.Tensor]:
    layers = [*network.hidden, network.output]
    return [parameter for layer in layers for parameter in (layer.weight, layer.bias)]
