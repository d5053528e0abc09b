"""TargetNetworks: copies of networks that follow them slowly, so that targets keep still."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def target_of(module: Module) -> Module:
    """Return a copy whose weights are never moved by gradients."""
    spec = getattr(module, "env_spec", None)
    target = copy.deepcopy(module, {id(spec): spec})
    target.requires_grad_(False)
    return target


class TargetNetworks:
    """Move the weights of targets towards those of what they are copies of.

    Args:
        pairs: each target with its original.
    """

    def __init__(self, *pairs: tuple[nn.Module, nn.Module]) -> None:
        # Listed once: collecting a module's parameters costs as much as moving them.
        self._targets: list[torch.Tensor] = [p for target, _ in pairs for p in target.parameters()]
        self._originals: list[torch.Tensor] = [
            p for _, original in pairs for p in original.parameters()
        ]

    @torch.no_grad()
    def update(self, tau: float) -> None:
        """Compute target + tau * (original - target) for each weight; 1 copies."""
        if tau == 1.0:
            torch._foreach_copy_(self._targets, self._originals)
        else:
            torch._foreach_lerp_(self._targets, self._originals, tau)
