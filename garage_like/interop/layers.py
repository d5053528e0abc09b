"""Layers: weights and biases that belong together, found by their names and shapes.

Libraries keep the kernel of a dense layer as (outputs, inputs), as torch does, or as (inputs,
outputs), as TensorFlow does. Which it is follows from the size of the bias; where a kernel is
square, from the other layers of the checkpoint, and then from whether it is called `kernel`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from garage_like.interop.weights import Weight

_KERNELS = ("weight", "kernel", "w", "gamma", "scale")
_BIASES = ("bias", "b", "beta", "shift")


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of a checkpoint.

    Attributes:
        name: of the layer.
        kernel: name of its weights.
        bias: name of its biases, or None.
        shape: of its weights; (outputs, inputs) if dense.
        is_turned: whether the checkpoint has (inputs, outputs).
    """

    name: str
    kernel: str
    bias: str | None
    shape: tuple[int, ...]
    is_turned: bool = False

    @property
    def names(self) -> list[str]:
        """Names of its arrays."""
        return [self.kernel] if self.bias is None else [self.kernel, self.bias]


@dataclass(frozen=True, eq=False)
class OwnLayer:
    """A layer of the target.

    Attributes:
        kernel: its weights.
        bias: its biases, or None.
    """

    kernel: Weight
    bias: Weight | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its weights; (outputs, inputs) if dense."""
        return self.kernel.shape


def own_layers(weights: Iterable[Weight]) -> list[OwnLayer]:
    """Find the layers among weights of the target, in their order."""
    by_name = {weight.name: weight for weight in weights}
    found = []
    for name, weight in by_name.items():
        bias = _bias_of(name, by_name)
        if bias is not None or (len(weight.shape) > 1 and _leaf(name) in _KERNELS):
            found.append(OwnLayer(weight, None if bias is None else by_name[bias]))
    return found


def layers_in(arrays: Mapping[str, np.ndarray], names: Iterable[str]) -> list[Layer]:
    """Find the layers among arrays of a checkpoint, in its order.

    Args:
        arrays: all of them; square kernels are turned if the others are.
        names: those to look at.
    """
    usually = _is_usually_turned(arrays)
    found = []
    for name in names:
        bias, shape = _bias_of(name, arrays), arrays[name].shape
        if bias is None and (len(shape) < 2 or _leaf(name) not in _KERNELS):
            continue
        turned = False
        if len(shape) == 2:
            turned = _is_turned(shape, None if bias is None else arrays[bias].size, name, usually)
        order = shape[::-1] if turned else shape
        found.append(Layer(name.rpartition(".")[0] or name, name, bias, order, turned))
    return found


def without_copies(layers: list[Layer], arrays: Mapping[str, np.ndarray]) -> list[Layer]:
    """Leave out layers that equal one before: libraries write a shared trunk more than once."""
    kept: list[Layer] = []
    for layer in layers:
        if not any(_are_equal(layer, other, arrays) for other in kept):
            kept.append(layer)
    return kept


def _are_equal(a: Layer, b: Layer, arrays: Mapping[str, np.ndarray]) -> bool:
    pairs = zip(a.names, b.names, strict=False)
    return len(a.names) == len(b.names) and all(
        np.array_equal(arrays[x], arrays[y]) for x, y in pairs
    )


def _leaf(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _bias_of(name: str, names: Mapping[str, object]) -> str | None:
    parent, _, leaf = name.rpartition(".")
    if leaf.lower() not in _KERNELS:
        return None
    siblings = (f"{parent}.{bias}" if parent else bias for bias in _BIASES)
    return next((sibling for sibling in siblings if sibling in names), None)


def _is_turned(shape: tuple[int, ...], size: int | None, name: str, usually: bool | None) -> bool:
    if size is not None and shape[0] != shape[1]:
        return size == shape[1] != shape[0]
    return _leaf(name) == "kernel" if usually is None else usually


def _is_usually_turned(arrays: Mapping[str, np.ndarray]) -> bool | None:
    """Return what the kernels say that are not square; None if they say nothing."""
    votes = 0
    for name, array in arrays.items():
        bias = _bias_of(name, arrays)
        if array.ndim == 2 and bias is not None and array.shape[0] != array.shape[1]:
            votes += 1 if arrays[bias].size == array.shape[1] else -1
    return None if votes == 0 else votes > 0
