"""Find out whether an environment survives a snapshot, by trying it on copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from garage_like.interfaces import VectorEnvironment
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.environments import (
    NOTHING_KNOWN,
    EnvState,
    EnvStates,
    can_rebuild,
    kind_of,
    why_restarting,
)
from garage_like.snapshot.kinds.made_again import only_trying
from garage_like.snapshot.rng import get_global_rng, global_rng_untouched, set_global_rng

STEPS_BEFORE = 7
STEPS_COMPARED = 24

Copy = Callable[..., Any]


def check_env(env: Any, copy: Copy = copy_exactly, known: EnvStates = NOTHING_KNOWN) -> EnvState:
    """Find out whether copies of an environment continue exactly, without touching it.

    A copy is stepped a little, copied again, and both go on with the same actions. An environment
    that is rebuilt from its arguments when it is unpickled gives itself away here. A run lets one
    that does not continue exactly begin a new episode after each restore; one that cannot be
    pickled is built anew from its gymnasium spec as well, if that helps.

    Args:
        env: an Environment; only copies of it are stepped.
        copy: saves and loads a value, given what is known of environments.
        known: what was found out about others, such as one that this one wraps.
    """
    with global_rng_untouched(), only_trying():
        told = env.why_restarting if isinstance(env, VectorEnvironment) else ""
        reason = told or why_restarting(env, known)
        if reason is not None:
            return EnvState("restart", reason)
        try:
            copy(env)
        except Exception as error:
            reason = f"it cannot be pickled: {type(error).__name__}: {error}"
            return EnvState("restart", reason, _can_be_rebuilt(env, copy))
        reason = _why_inexact(env, copy)
    return EnvState("exact") if reason is None else EnvState("restart", reason)


def _can_be_rebuilt(env: Any, copy: Copy) -> bool:
    """Try whether an environment can be copied if the innermost is built anew from its spec."""
    if not can_rebuild(env):
        return False
    try:
        copy(env, {kind_of(env): EnvState("restart", rebuild=True)})
    except Exception:
        return False
    return True


def _why_inexact(env: Any, copy: Copy) -> str | None:
    try:
        first, space = copy(env), copy(env.action_space)
        space.seed(0)
        _reset(first)
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


def _reset(env: Any) -> None:
    if isinstance(env, VectorEnvironment):
        env.reset(range(env.n_envs))
    else:
        env.reset(seed=0)


def _step(env: Any, space: Any, steps: int) -> list[dict[str, str]]:
    """Take random steps, resetting where an episode ends; return what was seen, bit for bit."""
    seen = []
    for _ in range(steps):
        step = env.step(space.sample())
        if isinstance(env, VectorEnvironment):
            seen.append(leaves(step._asdict()))
            continue
        found: dict[str, Any] = {
            "observation": step.observation,
            "reward": np.float64(step.reward),
            "step_type": int(step.step_type),
        }
        if step.last:
            found["first_observation"] = env.reset()[0]
        seen.append(leaves(found))
    return seen
