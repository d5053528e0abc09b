"""TargetNetworks: copies of networks that follow them slowly, so that targets keep still."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import numpy as np

from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.tf.modules.flat_variables import FlatVariables
from garage_like.tf.modules.module import Module

Network = TypeVar("Network")


class Networks(Module):
    """Several networks as one.

    Args:
        *networks: ours, tf.Modules or Keras models.
    """

    def __init__(self, *networks: Any) -> None:
        self.networks = list(networks)


def target_of(network: Network) -> Network:
    """Return a copy, whose weights no optimizer moves."""
    if not isinstance(network, Module):
        return copy_exactly(network)
    # Copied the way that a snapshot does, what Keras would copy in a way of its own.
    memo: dict[int, Any] = {
        id(part): copy_exactly(part)
        for part in vars(network).values()
        if hasattr(part, "trainable_variables") and not isinstance(part, Module)
    }
    spec = getattr(network, "env_spec", None)
    return copy.deepcopy(network, {**memo, id(spec): spec})


class TargetNetworks:
    """Move the weights of targets towards those of what they are copies of.

    Args:
        pairs: each target with its original.
    """

    _lent: tuple[FlatVariables, FlatVariables] | None = None

    def __init__(self, *pairs: tuple[Any, Any]) -> None:
        self._targets = Networks(*(target for target, _ in pairs)).trainable_variables
        self._originals = Networks(*(original for _, original in pairs)).trainable_variables

    def lend(self, target: FlatVariables, original: FlatVariables) -> None:
        """Move, until `take_back`, what is in C's memory, and leave the variables alone."""
        self._lent = target, original

    def take_back(self) -> None:
        """Move variables again."""
        vars(self).pop("_lent", None)

    def update(self, tau: float) -> None:
        """Compute target + tau * (original - target) for each weight; 1 copies."""
        if self._lent is not None:
            target, original = (flat.vector for flat in self._lent)
            if tau == 1.0:
                target[...] = original
            else:
                target += np.float32(tau) * (original - target)
            return
        for target, original in zip(self._targets, self._originals, strict=True):
            if tau == 1.0:
                target.assign(original)
            else:
                target.assign_add(tau * (original - target))
