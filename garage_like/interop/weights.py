"""The weights of a policy, a Q-function or a whole algorithm by name, and how to replace them.

Names are those of the attributes on the way: `mlp.hidden.0.weight` in torch, `mlp.layers.0.weight`
in TensorFlow, and in an algorithm behind the component: `policy.mlp.output.bias`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.interop.checkpoint import as_array

_TARGET = re.compile(r"target")
_COMPONENT = re.compile(r"policy|qf|q_function|value_function|baseline|temperature")
# What follows from the spaces of the environment, and is no other program's to say.
_FROM_THE_SPACES = ("action_centre", "action_scale")


@dataclass(eq=False)
class Weight:
    """One array of the target.

    Attributes:
        name: within the target.
        shape: as the other program would have it: kernels are (outputs, inputs).
        is_turned: whether the kernel is (inputs, outputs) here, as in TensorFlow.
        read: returns a copy of it as it is here.
        write: replaces its content in place.
    """

    name: str
    shape: tuple[int, ...]
    is_turned: bool
    read: Callable[[], np.ndarray]
    write: Callable[[np.ndarray], None]


@dataclass(eq=False)
class Component:
    """A network of the target.

    Attributes:
        name: attribute of the algorithm; empty if it is the target itself.
        role: `policy`, `q`, `value`, `temperature`, or empty if that is not known.
        is_target: whether it is a target network.
        module: the network.
        weights: its own; what an earlier component has already is left out.
    """

    name: str
    role: str
    is_target: bool
    module: Any
    weights: list[Weight]


def components_of(target: Any) -> list[Component]:
    """List the networks of a target.

    Raises:
        TypeError: if it is neither a module of torch or TensorFlow nor has any as attributes.
    """
    if _weights(target) is not None:
        return _components({"": target})
    attributes = {name: part for name, part in _attributes(target) if _weights(part) is not None}
    found = _components(
        {name: part for name, part in attributes.items() if _COMPONENT.search(name)}
    )
    if not found:
        raise TypeError(
            "migrate: target must be a policy, Q-function or value function of torch or TensorFlow,"
            f" or an algorithm that has some, got {type(target).__name__}"
        )
    return found


def _attributes(target: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(target).items() if hasattr(target, "__dict__") else ():
        bare = name.removeprefix("_")
        if isinstance(value, list | tuple) or type(value).__name__ == "ModuleList":
            yield from ((f"{bare}.{place}", part) for place, part in enumerate(value))
        else:
            yield bare, value


def _components(modules: dict[str, Any]) -> list[Component]:
    seen: set[int] = set()
    found = []
    # Online networks come first: a policy may be the Q-function that is also an attribute.
    for name, module in sorted(modules.items(), key=lambda item: "target" in item[0]):
        prefix = f"{name}." if name else ""
        weights = []
        for path, tensor in _weights(module) or ():
            if id(tensor) not in seen and path.rpartition(".")[2] not in _FROM_THE_SPACES:
                seen.add(id(tensor))
                weights.append(_weight(prefix + path, tensor))
        if weights:
            is_target = _TARGET.search(name) is not None
            found.append(Component(name, _role(name, module), is_target, module, weights))
    return found


def _role(name: str, module: Any) -> str:
    kind = type(module).__name__
    if "QFArgmax" in kind or "QFunction" in kind or re.search(r"qf", name):
        return "q"
    if "Policy" in kind or "policy" in name:
        return "policy"
    if "ValueFunction" in kind or "Baseline" in kind:
        return "value"
    return "temperature" if kind == "Temperature" else ""


def _weights(module: Any) -> list[tuple[str, Any]] | None:
    """List tensors or variables by their paths; None if this is no module."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(module, torch.nn.Module):
        return [*module.named_parameters(), *module.named_buffers()]
    if any(cls.__module__ == "garage_like.tf.modules.module" for cls in type(module).__mro__):
        return list(_variables(vars(module), ""))
    return None


def _variables(parts: Any, path: str) -> Iterator[tuple[str, Any]]:
    tf = sys.modules["tensorflow"]
    for name, value in parts.items() if isinstance(parts, dict) else enumerate(parts):
        place = f"{path}.{name}" if path else str(name)
        if isinstance(value, tf.Variable):
            yield place, value
        elif hasattr(value, "_fields"):
            yield from _variables(value._asdict(), place)
        elif isinstance(value, list | tuple | dict):
            yield from _variables(value, place)
        elif any(cls.__module__ == "garage_like.tf.modules.module" for cls in type(value).__mro__):
            yield from _variables(vars(value), place)


def _weight(name: str, tensor: Any) -> Weight:
    shape = tuple(int(size) for size in tensor.shape)
    if hasattr(tensor, "detach"):
        return Weight(name, shape, False, _reader(tensor), _torch_writer(tensor))
    is_kernel = len(shape) == 2
    order = shape[::-1] if is_kernel else shape
    return Weight(name, order, is_kernel, _reader(tensor), tensor.assign)


def _reader(tensor: Any) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        array = as_array(tensor)
        assert array is not None
        return array.copy()

    return read


def _torch_writer(tensor: Any) -> Callable[[np.ndarray], None]:
    def write(array: np.ndarray) -> None:
        import torch

        # In place: optimizers, actors and flat memory share it.
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(np.array(array)))

    return write


def assign(values: list[tuple[Weight, np.ndarray]]) -> None:
    """Replace all, or if one fails none, and raise what it raised."""
    before: list[tuple[Weight, np.ndarray]] = []
    try:
        for weight, array in values:
            old = weight.read()
            weight.write(array)
            before.append((weight, old))
    except BaseException:
        for weight, old in before:
            weight.write(old)
        raise
