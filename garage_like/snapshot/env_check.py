"""Find out whether an environment survives a snapshot, by trying it on copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.snapshot.graph.env_state import let_rebuild, let_restart, why_restarting
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.rng import get_global_rng, global_rng_untouched, set_global_rng

STEPS_BEFORE = 7
STEPS_COMPARED = 24

Copy = Callable[[Any], Any]


@dataclass(frozen=True)
class EnvState:
    """How well an environment survives a snapshot: `'exact'`, or `'restart'` and the reason."""

    mode: str
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether the environment goes on in the middle of an episode, bit for bit."""
        return self.mode == "exact"


def check_env(env: Any, copy: Copy) -> EnvState:
    """Find out whether copies of an environment continue exactly, without touching it.

    A copy is stepped a little, copied again, and both go on with the same actions. An environment
    that is rebuilt from its arguments when it is unpickled gives itself away here. One that does
    not continue exactly begins a new episode after each restore from now on, and so do others of
    its class around the same classes; one that cannot be pickled is built anew as well.

    Args:
        env: an Environment; only copies of it are stepped.
        copy: saves and loads a value.
    """
    with global_rng_untouched():
        reason = why_restarting(env) or _why_unpicklable(env, copy) or _why_inexact(env, copy)
    if reason is None:
        return EnvState("exact")
    let_restart(env, reason)
    return EnvState("restart", reason)


def _why_unpicklable(env: Any, copy: Copy) -> str | None:
    """Try to copy; what cannot be copied is built anew from now on, if that helps."""
    try:
        copy(env)
    except Exception as error:
        if let_rebuild(env, True):
            try:
                copy(env)
            except Exception:
                let_rebuild(env, False)
        return f"it cannot be pickled: {type(error).__name__}: {error}"
    return None


def _why_inexact(env: Any, copy: Copy) -> str | None:
    try:
        first, space = copy(env), copy(env.action_space)
        space.seed(0)
        first.reset(seed=0)
        _step(first, space, STEPS_BEFORE)
        twin, twin_space = copy(first), copy(space)
        start = get_global_rng()
        expected = _step(first, space, STEPS_COMPARED)
        set_global_rng(start)
        found = _step(twin, twin_space, STEPS_COMPARED)
    except Exception as error:
        return f"a copy of it cannot be stepped: {type(error).__name__}: {error}"
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
        if ours != theirs:
            return f"a copy of it differs at step {number} after the copy"
    return None


def _step(env: Any, space: Any, steps: int) -> list[dict[str, str]]:
    """Take random steps, resetting where an episode ends; return what was seen, bit for bit."""
    seen = []
    for _ in range(steps):
        step = env.step(space.sample())
        found: dict[str, Any] = {
            "observation": step.observation,
            "reward": np.float64(step.reward),
            "step_type": int(step.step_type),
        }
        if step.last:
            found["first_observation"] = env.reset()[0]
        seen.append(leaves(found))
    return seen
