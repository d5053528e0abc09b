"""What a policy acts by: its NumPy actor, or the way around for one that cannot act in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like.interfaces import Actor, Policy


class FrameworkActor:
    """Act by the policy's own `get_actions`; noise comes from its framework's generator."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions for observations of shape (N, *O); `rng` is not used."""
        # A policy may keep what it is given, and the sampler goes on writing into its array.
        actions, infos = self._policy.get_actions(observations.copy())
        return np.asarray(actions), {key: np.asarray(value) for key, value in infos.items()}


def actor_of(policy: Any) -> Actor:
    """Return the policy's NumPy actor on its current weights, or a FrameworkActor."""
    make = getattr(policy, "actor", None)
    actor = make() if make is not None else None
    return FrameworkActor(policy) if actor is None else actor


def give_memory(actor: Any, rows: int, memory: np.ndarray | None = None) -> np.ndarray | None:
    """Let a recurrent actor act on a memory; return the memory, or None if it needs none.

    Args:
        actor: any Actor.
        rows: environments that it acts for.
        memory: to go on with; a blank one takes its place if it does not fit.
    """
    width = getattr(actor, "memory_dim", 0)
    if not width:
        return None
    if memory is None or memory.shape != (rows, width):
        memory = np.zeros((rows, width), np.float32)
    actor.remember(memory)
    return memory
