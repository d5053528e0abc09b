"""Environments that pickle wrongly, or not at all: how their state is saved all the same.

Measured: every MuJoCo environment of gymnasium pickles silently wrong, since EzPickle rebuilds a
fresh one; positions and velocities alone are not enough either (Ant, Humanoid). The whole `MjData`
is (`mujoco_data`), and so is the whole state of an Atari emulator (`ale_state`). Classic control,
toy text and most wrappers pickle exactly. Whatever cannot be pickled, Box2D for one, is built anew
from its gymnasium spec and begins a new episode; the snapshot then says `restart` and why.

An adapter is looked up by type and gives what pickle needs. Whether that worked is found out by
`env_check`, which steps a copy and its twin side by side.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from garage_like.interfaces import Environment
from garage_like.snapshot.graph.ale_state import is_ale_class, reduce_ale
from garage_like.snapshot.graph.attributes import NEW_OBJECT

_restarting: dict[tuple[type, ...], str] = {}
"""Environments that begin a new episode after a restore, by their class and those of all that they
wrap, and why."""

_rebuilt: set[type] = set()
"""Innermost ones that cannot be pickled, and are built anew from their spec."""


def reducer_for(cls: type) -> Callable[[Any], Any] | None:
    """Return how pickle saves environments of a class and what they hold; None: by itself."""
    if is_gymnasium_class(cls):
        return reduce_gymnasium_env
    if issubclass(cls, Environment):
        return reduce_environment
    return reduce_ale if is_ale_class(cls) else None


def is_gymnasium_class(cls: type) -> bool:
    """Tell whether a class is one of gymnasium environments or wrappers; loads nothing."""
    gymnasium = sys.modules.get("gymnasium")
    return gymnasium is not None and issubclass(cls, gymnasium.Env)


def innermost(env: Any) -> Any:
    """Return the environment that all others around it merely wrap."""
    return _stack(env)[-1]


def _stack(env: Any) -> list[Any]:
    """Return an environment and what it wraps, from the outside in."""
    found: list[Any] = []
    while not any(env is other for other in found):
        found.append(env)
        if is_gymnasium_class(type(env)):
            env = env if env.unwrapped is env else getattr(env, "env", env.unwrapped)
            continue
        inner = (
            value
            for value in getattr(env, "__dict__", {}).values()
            if isinstance(value, Environment) or is_gymnasium_class(type(value))
        )
        env = next(inner, env)
    return found


def why_restarting(env: Any) -> str | None:
    """Return why an environment begins a new episode after a restore, or None if it goes on."""
    if not _restarting:
        return None
    kinds = tuple(map(type, _stack(env)))
    known = (_restarting.get(kinds[number:]) for number in range(len(kinds)))
    return next((reason for reason in known if reason is not None), None)


def let_restart(env: Any, reason: str) -> None:
    """From now on, let environments of this kind begin a new episode after a restore.

    What they wrap does so too, but not where it stands by itself.
    """
    _restarting[tuple(map(type, _stack(env)))] = reason


def let_rebuild(env: Any, rebuild: bool) -> bool:
    """From now on, build environments of this kind anew, if gymnasium knows how, or do not."""
    inner = innermost(env)
    known = is_gymnasium_class(type(inner)) and inner.spec is not None
    if rebuild and known:
        _rebuilt.add(type(inner))
    else:
        _rebuilt.discard(type(inner))
    return known


def reduce_environment(env: Environment) -> Any:
    """Return how pickle saves an Environment of ours that begins a new episode."""
    state = env.__getstate__()
    if why_restarting(env) is None or not isinstance(state, dict):
        return NotImplemented
    return NEW_OBJECT, (type(env),), {**state, "needs_reset": True}


def reduce_gymnasium_env(env: Any) -> Any:
    """Return how pickle saves a gymnasium environment, or NotImplemented if pickle does it well."""
    if type(env) in _rebuilt:
        kept = ("_np_random", "_np_random_seed", "action_space", "observation_space")
        state = {name: value for name, value in vars(env).items() if name in kept}
        return rebuild_from_spec, (env.spec,), state, None, None, set_attributes
    if _is_mujoco(env):
        return NEW_OBJECT, (type(env),), mujoco_state(env), None, None, set_mujoco_state
    windows = {name: None for name, value in vars(env).items() if _is_window(value)}
    if _calls_its_constructor(type(env)) or (windows and _pickles_its_dict(type(env))):
        state = {**vars(env), **windows}
        return NEW_OBJECT, (type(env),), state, None, None, set_attributes
    return NotImplemented


def set_attributes(env: Any, state: dict[str, Any]) -> None:
    """Fill a bare environment, past a `__setstate__` that would call its constructor."""
    env.__dict__.update(state)


def rebuild_from_spec(spec: Any) -> Any:
    """Make an environment anew; wrappers around it are saved as they are."""
    import gymnasium

    return gymnasium.make(spec).unwrapped


def _is_window(value: Any) -> bool:
    """Tell whether a value is a window or a clock of pygame, which environments make when due."""
    return type(value).__module__.partition(".")[0] == "pygame"


def _calls_its_constructor(cls: type) -> bool:
    """Tell whether EzPickle would call the constructor again and forget all state."""
    import gymnasium

    ez_pickle = gymnasium.utils.EzPickle
    return issubclass(cls, ez_pickle) and cls.__getstate__ is ez_pickle.__getstate__


def _pickles_its_dict(cls: type) -> bool:
    return cls.__reduce_ex__ is object.__reduce_ex__ and cls.__getstate__ is object.__getstate__


def _is_mujoco(env: Any) -> bool:
    module = sys.modules.get("gymnasium.envs.mujoco.mujoco_env")
    return module is not None and isinstance(env, module.MujocoEnv)


def mujoco_state(env: Any) -> dict[str, Any]:
    """Return all attributes of a MuJoCo environment; windows of the renderer stay behind."""
    state = dict(env.__dict__)
    del state["model"]
    renderer = dict(state["mujoco_renderer"].__dict__)
    for attribute in ("model", "data"):
        renderer.pop(attribute, None)
    renderer.update(_viewers={}, viewer=None)
    return {**state, "mujoco_renderer": renderer}


def set_mujoco_state(env: Any, state: dict[str, Any]) -> None:
    """Fill a rebuilt environment: simulation, generators, scalars, a renderer."""
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

    renderer = MujocoRenderer.__new__(MujocoRenderer)
    model, data = state["data"].model, state["data"]
    renderer.__dict__.update(state["mujoco_renderer"], model=model, data=data)
    env.__dict__.update({**state, "model": model, "mujoco_renderer": renderer})
