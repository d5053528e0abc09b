"""Environments that pickle wrongly, or not at all: how their state is saved all the same.

Measured: every MuJoCo environment of gymnasium pickles silently wrong, since EzPickle rebuilds a
fresh one; positions and velocities alone are not enough either (Ant, Humanoid). The whole `MjData`
is (`mujoco`), and so is the whole state of an Atari emulator (`ale`). Classic control,
toy text and most wrappers pickle exactly. Whatever cannot be pickled, Box2D for one, is built again
from its spec and begins a new episode; the snapshot then says `restart` and why.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from garage_like.data.env_layers import forwards_names, is_gymnasium_class
from garage_like.interfaces import Environment, VectorEnvironment
from garage_like.snapshot.kinds.attributes import (
    NEW_OBJECT,
    Part,
    PartsFunction,
    attributes_of,
    labelled,
    reduced_parts,
)
from garage_like.snapshot.kinds.environments import (
    NOTHING_KNOWN,
    EnvStates,
    KnownEnvs,
    is_env_class,
    is_filled,
    rebuilt_as,
    why_restarting,
)
from garage_like.snapshot.kinds.kind import Kind, Pickling


class EnvironmentKind(Kind):
    """Environments: ours, gymnasium's, and the user's."""

    name = "gymnasium"
    modules = ("gymnasium",)
    versions = ("gymnasium",)

    def claims(self, cls: type) -> bool:
        return is_env_class(cls)

    def reduce(self, value: Any, pickling: Pickling) -> Any:
        if isinstance(pickling.env_states, KnownEnvs):
            pickling.env_states.meet(value)
        of_gymnasium = is_gymnasium_class(type(value))
        reduce = reduce_gymnasium_env if of_gymnasium else reduce_environment
        reduced = reduce(value, pickling.env_states)
        if reduced is NotImplemented and forwards_names(type(value)):
            return NEW_OBJECT, (type(value),), dict(vars(value)), None, None, set_attributes
        return reduced

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        if not is_gymnasium_class(cls):
            return None
        return _parts if as_pickled else attributes_of


def reduce_environment(env: Environment | VectorEnvironment, known: EnvStates) -> Any:
    """Return how pickle saves an Environment of ours that begins a new episode."""
    if why_restarting(env, known) is None:
        return NotImplemented
    if isinstance(env, VectorEnvironment):
        return NEW_OBJECT, (type(env),), env.as_new()
    state = env.__getstate__()
    if not isinstance(state, dict):
        return NotImplemented
    return NEW_OBJECT, (type(env),), {**state, "needs_reset": True}


def reduce_gymnasium_env(env: Any, known: EnvStates = NOTHING_KNOWN) -> Any:
    """Return how pickle saves a gymnasium environment, or NotImplemented if pickle does it well."""
    rebuilt = rebuilt_as(env, known)
    if rebuilt is not None:
        kept = ("_np_random", "_np_random_seed", "action_space", "observation_space")
        state = {name: value for name, value in vars(env).items() if name in kept}
        if rebuilt.make is not None:
            return rebuild_by, (rebuilt.make,), state, None, None, set_attributes
        return rebuild_from_spec, (env.spec,), state, None, None, set_attributes
    if _is_mujoco(env):
        return NEW_OBJECT, (type(env),), mujoco_state(env), None, None, set_mujoco_state
    windows = {name: None for name, value in vars(env).items() if _is_window(value)}
    if _calls_its_constructor(type(env)) or (windows and _pickles_its_dict(type(env))):
        state = {**vars(env), **windows}
        return NEW_OBJECT, (type(env),), state, None, None, set_attributes
    if hasattr(type(env), "__setstate__") and is_filled(env, known):
        return NEW_OBJECT, (type(env),), dict(vars(env)), None, None, set_attributes
    return NotImplemented


def _parts(env: Any) -> list[Part]:
    reduced = reduce_gymnasium_env(env)
    return reduced_parts(env) if reduced is NotImplemented else labelled(reduced[2])


def set_attributes(env: Any, state: dict[str, Any]) -> None:
    """Fill a bare environment, past a `__setstate__` that would call its constructor."""
    env.__dict__.update(state)


def rebuild_by(make: Callable[[], Any]) -> Any:
    """Make an environment again by a function; wrappers around it are saved as they are."""
    return make().unwrapped


def rebuild_from_spec(spec: Any) -> Any:
    """Make an environment again; wrappers around it are saved as they are."""
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
