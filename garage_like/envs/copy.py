"""copy_env: a second environment like the first, that shares nothing with it and films nothing."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from garage_like.data.env_layers import forwards_names, layers_of, maker_of
from garage_like.interfaces import Environment

Env = TypeVar("Env", bound=Environment)


def copy_env(env: Env) -> Env:
    """Return a copy that must be reset before its first step.

    Environments around native code (MuJoCo, Box2D) are built again with the same arguments, so what
    is copied of them is the task and not the state; so are those that a function makes.

    Raises:
        TypeError: if the environment holds something that cannot be copied.
    """
    try:
        # Unlike a round trip through pickle this leaves classes alone: one that is defined in the
        # user's script would come back as a second class, with copies of the script's globals.
        copied = _deep_copy(env)
    except Exception as error:
        raise TypeError(
            f"copy_env: {type(env).__name__} cannot be copied, and each worker steps a copy of its "
            f"own: {type(error).__name__}: {error}. Use one worker with one environment, make "
            "the environment picklable, or give GymEnv a function that makes it"
        ) from error
    copied.needs_reset = True
    return without_effects(copied)


def without_sharing(envs: list[Any]) -> list[Any]:
    """Replace every environment that was listed before by a copy; leave all else alone."""
    seen: set[int] = set()
    own: list[Any] = []
    for env in envs:
        own.append(copy_env(env) if id(env) in seen else env)
        if isinstance(env, Environment):
            seen.add(id(env))
    return own


def without_effects(env: Env, *, windows: bool = False) -> Env:
    """Let a copy film nothing and write no monitor's file: those belong to the original.

    Args:
        env: the copy.
        windows: whether it may show itself in a window.
    """
    for layer in layers_of(env):
        held = getattr(layer, "__dict__", {})
        if type(layer).__name__ == "RecordVideo" and "recorded_frames" in held:
            held.update(episode_trigger=None, step_trigger=None)
            held.update(recording=False, recorded_frames=[])
        if "results_writer" in held and type(layer).__module__.startswith("stable_baselines3."):
            held["results_writer"] = None
        if held.get("render_mode") == "human" and not windows:
            held["render_mode"] = None
    return env


def _deep_copy(env: Env) -> Env:
    """Copy an environment; layers that forward names are made bare first and filled last."""
    memo: dict[int, Any] = {}
    make = maker_of(env)
    if make is not None:
        innermost = layers_of(env)[-1]
        memo[id(innermost)] = make().unwrapped
    forwarding = [layer for layer in layers_of(env) if forwards_names(type(layer))]
    for layer in forwarding:
        memo[id(layer)] = object.__new__(type(layer))
    copied = copy.deepcopy(env, memo)
    for layer in forwarding:
        vars(memo[id(layer)]).update(copy.deepcopy(vars(layer), memo))
    return copied
