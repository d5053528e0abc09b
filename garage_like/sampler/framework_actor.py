"""What a policy acts by: its NumPy actor, or the way around for one that cannot act in NumPy."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from garage_like.interfaces import Actor, Policy, RecurrentActor

_GET = "get_actions", "get_action"


class FrameworkActor:
    """Act by the policy's own `get_actions`, or by its `get_action` if it has no other.

    Noise comes from wherever the policy takes it, its framework's generator say.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions for observations of shape (N, *O); `rng` is not used."""
        # A policy may keep what it is given, and the sampler goes on writing into its array.
        observations = observations.copy()
        if _acts_one_by_one(self._policy):
            chosen = [self._policy.get_action(observation) for observation in observations]
            actions: Any = [action for action, _ in chosen]
            infos: dict[str, Any] = {key: [info[key] for _, info in chosen] for key in chosen[0][1]}
        else:
            actions, infos = self._policy.get_actions(observations)
        return np.asarray(actions), {key: np.asarray(value) for key, value in infos.items()}


class ActorAround:
    """Act as another actor does, or otherwise: a subclass says what is done instead.

    What the other one can do besides is handed on: around a recurrent actor this is one, and what
    was done is what is remembered.

    Args:
        actor: the other one.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.memory_dim: int = getattr(actor, "memory_dim", 0)

    def instead(
        self, actions: np.ndarray, infos: dict[str, np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """Return what is done instead of the other's N actions, which are not changed."""
        raise NotImplementedError(f"{type(self).__name__} must implement instead")

    def remember(self, memory: np.ndarray) -> None:
        """Let a recurrent actor act on `memory`, shape (N, memory_dim)."""
        cast("RecurrentActor", self._actor).remember(memory)

    def note(self, actions: np.ndarray) -> None:
        """Tell a recurrent actor which actions were taken instead of those that it chose."""
        if self.memory_dim:
            cast("RecurrentActor", self._actor).note(actions)

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions for observations of shape (N, *O); the infos are the other's."""
        actions, infos = self._actor.act(observations, rng)
        actions = self.instead(actions, infos, rng)
        if self.memory_dim:
            self.note(actions)
        return actions, infos


def actor_of(policy: Any) -> Actor:
    """Return what a policy acts by: what its class says last of how it acts.

    That is the policy's NumPy actor; or, where a class derived from the one that has the actor says
    otherwise by `get_action`, `get_actions` or `forward`, what asks these.
    """
    says = _nearest(policy, "actor", "get_actions", "get_action", "forward", "__call__")
    return FrameworkActor(policy) if says in _GET else actor_under(policy)


def actor_under(policy: Any) -> Actor:
    """Return what a policy acts by where `get_action` and `get_actions` say nothing of their own.

    Those of the base classes act by this, so that one that overrides them may call them.
    """
    says = _nearest(policy, "actor", "forward", "__call__")
    if says == "actor" or (says is None and hasattr(policy, "actor")):
        actor: Actor | None = policy.actor()
        return FrameworkActor(policy) if actor is None else actor
    if says in ("forward", "__call__") and hasattr(policy, "forward_actor"):
        by_forward: Actor = policy.forward_actor()
        return by_forward
    return FrameworkActor(policy)


def _acts_one_by_one(policy: Any) -> bool:
    """Tell whether a policy says by `get_action` how it acts, and `get_actions` knows nothing."""
    return _nearest(policy, *_GET) == "get_action"


def _nearest(policy: Any, *names: str) -> str | None:
    """Return which of some methods the object has, or the first of its classes that has any."""
    for part in (policy, *type(policy).__mro__):
        own = getattr(part, "__dict__", ())
        for name in names:
            if name in own:
                return name
    return None


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


def forget(memory: np.ndarray | None, do_resets: np.ndarray | None) -> np.ndarray | None:
    """Return a memory that knows nothing of some episodes; None if it knows nothing of any.

    Args:
        memory: of N episodes, changed in place; None if there is none.
        do_resets: shape (N,), which of them are forgotten; None for all.
    """
    if memory is None or do_resets is None or len(do_resets) != len(memory):
        return None
    memory[np.asarray(do_resets, bool)] = 0.0
    return memory


class Remembering:
    """Let a policy with a recurrent actor act on a memory of its own; samplers have theirs."""

    _memory: np.ndarray | None
    _rng: np.random.Generator

    def actor(self) -> RecurrentActor:
        """Return a NumPy actor on the current weights, which acts on its caller's memory."""
        raise NotImplementedError(f"{type(self).__name__} must implement actor")

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, on the policy's own memory of N episodes."""
        actor = self.actor()
        self._memory = give_memory(actor, len(observations), self._memory)
        return actor.act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Forget what `get_actions` remembers; do_resets: shape (N,), of which episodes."""
        self._memory = forget(self._memory, do_resets)
