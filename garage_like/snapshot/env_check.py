"""Find out whether an environment survives a snapshot, by reading it and by trying it on copies."""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from garage_like.data.env_layers import is_gymnasium_class, layers_of, maker_of
from garage_like.envs.copy import without_effects
from garage_like.interfaces import VectorEnvironment
from garage_like.snapshot.env_reading import (
    lost_attribute,
    lost_if_changed,
    settings_of,
    why_lost,
)
from garage_like.snapshot.graph.pickling import GraphPickler, copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.inside import ReachedOutsideError, staying_inside
from garage_like.snapshot.kinds.environments import (
    NOTHING_KNOWN,
    EnvState,
    EnvStates,
    can_rebuild,
    kind_of,
    why_restarting,
)
from garage_like.snapshot.kinds.made_again import only_trying
from garage_like.snapshot.kinds.worker_envs import AT_HOME
from garage_like.snapshot.rng import get_global_rng, global_rng_untouched, set_global_rng

STEPS_BEFORE = 7
STEPS_COMPARED = 24
STEPS_OF_AN_EPISODE = 3
STEPS_IN_ALL = STEPS_BEFORE + 2 * (STEPS_COMPARED + STEPS_OF_AN_EPISODE)

Copy = Callable[..., Any]
Beside = Callable[[], contextlib.AbstractContextManager[None]]

_WELL_KNOWN = (
    *("garage_like.envs.", "gymnasium.wrappers.", "stable_baselines3.common.monitor"),
    *(f"gymnasium.envs.{name}." for name in ("classic_control", "toy_text", "mujoco")),
    "ale_py.",
    "garage_like.jax.envs.",
)
"""Where the classes of environments are that this project's tests try at random moments.

Those in JAX are pure functions: what changes is in arrays that are handed from step to step.
"""


def check_env(
    env: Any,
    copy: Copy = copy_exactly,
    known: EnvStates = NOTHING_KNOWN,
    beside: Beside = contextlib.nullcontext,
) -> EnvState:
    """Find out whether copies of an environment continue exactly, without touching it.

    Its attributes must come back, numbers that have not changed yet included; then a copy is
    stepped a little, copied again, and both go on with the same actions, through resets as well.
    What would be seen outside of the process is stopped before it happens: a file that is written,
    a message that is sent; then nobody knows.

    A run lets an environment that does not continue exactly begin a new episode after each restore;
    one that cannot be pickled is built again from its gymnasium spec as well, if that helps.

    Args:
        env: an Environment, or one of gymnasium's; only copies of it are stepped.
        copy: saves and loads a value, given what is known of environments.
        known: what was found out about others, such as one that this one wraps.
        beside: makes a block after which state beside the objects, as far as it is saved, is as
            it was before.
    """
    with global_rng_untouched(), only_trying(), staying_inside() as stopped:
        try:
            state = _found(env, copy, known, stopped, beside)
        except ReachedOutsideError:
            state = _unsure(
                f"a copy of it {stopped[0]} when it is tried, and was stopped before it did; what"
                " it leaves there is not saved"
            )
    return state if state.exact else replace(state, settings=settings_of(env))


def judge_unstepped(env: Any, known: EnvStates = NOTHING_KNOWN) -> EnvState | None:
    """Say how well an environment survives a snapshot if that is known without a step of it.

    Classic control, toy text, MuJoCo and Atari, in wrappers of gymnasium's and ours, and functions.

    Returns:
        None: it has to be tried.
    """
    state = _known_to_restart(env, known)
    if state is not None:
        return state
    return EnvState("exact") if _is_well_known(env) else None


def judge_untried(env: Any) -> EnvState:
    """Return what can be said of an environment that is not to be tried."""
    reason = why_lost(env) or "it was not tried (check_env=False)"
    return replace(_unsure(reason), settings=settings_of(env))


def _unsure(reason: str) -> EnvState:
    return EnvState("numerical", reason)


def _known_to_restart(env: Any, known: EnvStates) -> EnvState | None:
    """Tell whether an environment says itself that it starts over, or cannot be pickled."""
    reason = why_restarting(env, known)
    if reason is not None:
        return EnvState("restart", reason)
    try:
        GraphPickler({"env": env}, keep_live=False).save()
    except Exception as error:
        reason = f"it cannot be pickled: {type(error).__name__}: {error}"
        return _restarting(env, reason)
    return None


def _restarting(env: Any, reason: str) -> EnvState:
    """Say that an environment that cannot be pickled starts over, and how it is made if it is."""
    if not can_rebuild(env):
        return EnvState("restart", reason)
    state = EnvState("restart", reason, rebuild=True, make=maker_of(env))
    try:
        GraphPickler({"env": env}, keep_live=False, env_states={kind_of(env): state}).save()
    except Exception:
        return EnvState("restart", reason)
    return state


def _is_well_known(env: Any) -> bool:
    return not _is_vector(env) and all(
        f"{type(layer).__module__}.".startswith(_WELL_KNOWN)
        and not any(_is_own_code(value) for value in vars(layer).values())
        for layer in layers_of(env)
    )


def _is_own_code(value: Any) -> bool:
    """Tell whether a value is a function that is not gymnasium's: nobody knows what it does."""
    if isinstance(value, functools.partial):
        value = value.func
    is_code = isinstance(value, types.FunctionType | types.MethodType)
    return is_code and not f"{value.__module__}.".startswith(("gymnasium.", "garage_like."))


def _found(env: Any, copy: Copy, known: EnvStates, stopped: list[str], beside: Beside) -> EnvState:
    state = _known_to_restart(env, known)
    if state is not None:
        return state
    at_home = vars(layers_of(env)[-1]).get(AT_HOME)
    if at_home:  # of those in other processes, what the first handed over tells
        return _found(at_home[0].env, copy, known, stopped, beside)
    reason = why_lost(env)
    if reason is not None:
        return _unsure(reason)
    try:
        first = _with_own_spaces(without_effects(copy(env)), copy)
    except Exception as error:
        return _filling(env, copy, f"a copy of it cannot be made: {type(error).__name__}: {error}")
    before = settings_of(first)
    try:
        reason = _why_inexact(first, copy, beside)
    except Exception as error:
        reason = f"a copy of it cannot be stepped: {type(error).__name__}: {error}"
    if stopped:
        raise ReachedOutsideError
    if reason is not None:
        return EnvState("restart", reason)
    path = lost_attribute(env, copy) or lost_attribute(first, copy) or lost_if_changed(first, copy)
    if path is not None:
        return _unsure(f"its attribute {path.lstrip('.')} is not saved (__getstate__, __reduce__)")
    begun = settings_of(first)
    _step(first, copy(first.action_space), 1)
    kept = before.items() & begun.items() & settings_of(first).items()
    return EnvState("exact", settings=dict(kept))


def _filling(env: Any, copy: Copy, reason: str) -> EnvState:
    """Try whether an environment that cannot be unpickled can be without its `__setstate__`."""
    state = EnvState("restart", reason, fills=True)
    try:
        found = without_effects(copy(env, {kind_of(env): state}))
        _reset(found, seed=0)
        _step(found, copy(found.action_space), 1)
    except Exception:
        return EnvState("restart", reason)
    return state


def _with_own_spaces(env: Any, copy: Copy) -> Any:
    """Give a copy spaces of its own where its class has them, which the original draws from."""
    for layer in layers_of(env):
        for name in ("action_space", "observation_space"):
            space = getattr(type(layer), name, None)
            if hasattr(space, "seed") and hasattr(layer, "__dict__") and name not in vars(layer):
                vars(layer)[name] = copy(space)
    return env


def _why_inexact(first: Any, copy: Copy, beside: Beside) -> str | None:
    """Step a copy, copy that, and compare what both show, and how they start over."""
    space = copy(first.action_space)
    space.seed(0)
    _reset(first, seed=0)
    _step(first, space, STEPS_BEFORE)
    twin, twin_space = without_effects(copy(first)), copy(space)
    start = get_global_rng()
    with beside():
        expected = _step(first, space, STEPS_COMPARED) + _begin_anew(first, space)
    set_global_rng(start)
    found = _step(twin, twin_space, STEPS_COMPARED) + _begin_anew(twin, twin_space)
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
        if ours != theirs and number < STEPS_COMPARED:
            return f"a copy of it differs at step {number} after the copy"
        if ours != theirs:
            return "a copy of it begins another episode when it is reset"
    return None


def _begin_anew(env: Any, space: Any) -> list[dict[str, str]]:
    """Break an episode off, play a little, and do so again; return what was seen."""
    begun = leaves({"observation": _reset(env)})
    seen = _step(env, space, STEPS_OF_AN_EPISODE)
    return [begun, *seen, leaves({"observation": _reset(env)})]


def _is_vector(env: Any) -> bool:
    return isinstance(env, VectorEnvironment) or hasattr(env, "single_action_space")


def _reset(env: Any, seed: int | None = None) -> Any:
    """Begin an episode; return what is observed first."""
    if isinstance(env, VectorEnvironment):
        return env.reset(None if seed is None else range(env.n_envs))
    return env.reset(seed=seed)[0]


def _step(env: Any, space: Any, steps: int) -> list[dict[str, str]]:
    """Take random steps, resetting where an episode ends; return what was seen, bit for bit."""
    seen = []
    for _ in range(steps):
        found, has_ended = _take_step(env, space.sample())
        if has_ended:
            found["first_observation"] = _reset(env)
        seen.append(leaves(found))
    return seen


def _take_step(env: Any, action: Any) -> tuple[dict[str, Any], bool]:
    """Take one step; return what was seen, and whether the episode must be started over by hand."""
    step = env.step(action)
    if is_gymnasium_class(type(env)):
        found = dict(zip(("observation", "reward", "terminated", "truncated"), step, strict=False))
        ended = not _is_vector(env) and bool(step[2] or step[3])
    elif isinstance(env, VectorEnvironment):
        found, ended = step._asdict(), False
    else:
        names, ended = ("observation", "reward", "step_type"), step.last
        found = {name: getattr(step, name) for name in names}
        found["step_type"] = int(found["step_type"])
    return {**found, "reward": np.asarray(found.get("reward", 0.0), np.float64)}, ended
