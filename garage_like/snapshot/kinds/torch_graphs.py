"""torch tensors that hold the graph of a computation, and modules whose weights are computed.

Such a tensor is saved as its numbers. What comes back stands for a graph that is no more: whoever
calls `backward` through it is told so, and no gradient is lost in silence. Imported only where
torch is loaded already.
"""

from __future__ import annotations

import sys
from typing import Any

import torch


class _LostGraph(torch.autograd.Function):
    """A node of a graph that ends where a snapshot was restored."""

    @staticmethod
    def forward(ctx: Any, anchor: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise RuntimeError(
            "backward reached a tensor that was restored from a snapshot, which holds its numbers"
            " and not the graph that made them; detach() what outlives an epoch, or recompute it"
        )


def with_lost_graph(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor on the same memory that requires a gradient, and has none to give."""
    with torch.enable_grad():
        result: torch.Tensor = _LostGraph.apply(torch.zeros(0, requires_grad=True), tensor)
    return result


def is_parametrized_class(cls: type) -> bool:
    """Tell whether a class is one that torch made for a module with computed weights."""
    parametrize = sys.modules.get("torch.nn.utils.parametrize")
    return (
        parametrize is not None
        and issubclass(cls, torch.nn.Module)
        and cls.__name__.startswith("Parametrized")
        and cls.__module__ == parametrize.__name__
    )


def reduce_parametrized(module: torch.nn.Module) -> Any:
    """Return how pickle saves a module with computed weights: by what they are computed from."""
    cls = type(module).__bases__[0]
    names = tuple(vars(module)["_modules"]["parametrizations"].keys())
    return rebuild_parametrized, (cls, names), dict(vars(module)), None, None, set_attributes


def rebuild_parametrized(cls: type[torch.nn.Module], names: tuple[str, ...]) -> torch.nn.Module:
    """Build a bare module whose class computes weights of these names, as torch does it."""
    import torch.nn.utils.parametrize as parametrize

    module = cls.__new__(cls)
    vars(module).update(vars(torch.nn.Module()))
    parametrize._inject_new_class(module)
    for name in names:
        parametrize._inject_property(module, name)
    return module


def set_attributes(module: torch.nn.Module, state: dict[str, Any]) -> None:
    """Give a bare module its attributes."""
    vars(module).update(state)
