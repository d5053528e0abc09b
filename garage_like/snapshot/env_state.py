"""Environments that pickle wrongly, or not at all: how their state is saved all the same.

Measured: every MuJoCo environment of gymnasium pickles silently wrong, since EzPickle rebuilds a
fresh one; positions and velocities alone are not enough either (Ant, Humanoid). The whole `MjData`
is. Classic control, toy text and most wrappers pickle exactly. Whatever cannot be pickled is built
anew from its gymnasium spec and begins a new episode; the snapshot then says `restart` and why.

An adapter is looked up by type and gives what pickle needs. Whether all that worked is not
believed but checked: `check_env` steps a copy and its twin side by side.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.snapshot.live import NEW_OBJECT
from garage_like.snapshot.rng import get_global_rng, global_rng_untouched, set_global_rng

CHECK_STEPS = 24
CHECK_STEPS_BEFORE = 7


_rebuilt_types: dict[type, str] = {}
"""Environments that cannot be pickled, and why: they are built anew and begin a new episode."""


@dataclass(frozen=True)
class EnvState:
    """How well an environment survives a snapshot: `'exact'`, or `'restart'` and the reason."""

    mode: str
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether the environment goes on in the middle of an episode, bit for bit."""
        return self.mode == "exact"


def is_gymnasium_env(value: Any) -> bool:
    """Tell whether a value is a gymnasium environment or wrapper; loads nothing."""
    gymnasium = sys.modules.get("gymnasium")
    return gymnasium is not None and isinstance(value, gymnasium.Env)


def reduce_env(env: Any) -> Any:
    """Return how pickle saves a gymnasium environment, or NotImplemented if pickle does it well."""
    if type(env) in _rebuilt_types:
        return rebuild_from_spec, (env.spec,), {"_np_random": env.np_random}
    if _is_mujoco(env):
        return NEW_OBJECT, (type(env),), mujoco_state(env), None, None, set_mujoco_state
    if isinstance(env, _wrapper_class()):
        return NotImplemented
    if _rebuilds_itself(env):
        return NEW_OBJECT, (type(env),), dict(env.__dict__)
    return NotImplemented


def rebuild_from_spec(spec: Any) -> Any:
    """Make an environment anew; wrappers around it are saved as they are."""
    import gymnasium

    return gymnasium.make(spec).unwrapped


def begins_anew(env: Any) -> bool:
    """Tell whether an Environment of ours holds a gymnasium environment that is built anew."""
    inner = next((v for v in vars(env).values() if is_gymnasium_env(v)), None)
    return inner is not None and type(inner.unwrapped) in _rebuilt_types


def _wrapper_class() -> type:
    import gymnasium

    return gymnasium.Wrapper


def _rebuilds_itself(env: Any) -> bool:
    """Tell whether EzPickle would call the constructor again and forget all state."""
    import gymnasium

    ez_pickle = gymnasium.utils.EzPickle
    return isinstance(env, ez_pickle) and type(env).__getstate__ is ez_pickle.__getstate__


def _is_mujoco(env: Any) -> bool:
    module = sys.modules.get("gymnasium.envs.mujoco.mujoco_env")
    return module is not None and isinstance(env, module.MujocoEnv)


def mujoco_state(env: Any) -> dict[str, Any]:
    """Return all attributes of a MuJoCo environment; windows of the renderer stay behind."""
    state = dict(env.__dict__)
    del state["model"]
    renderer = dict(state.pop("mujoco_renderer").__dict__)
    for attribute in ("model", "data"):
        renderer.pop(attribute, None)
    renderer.update(_viewers={}, viewer=None)
    return {"attributes": state, "renderer": renderer}


def set_mujoco_state(env: Any, state: dict[str, Any]) -> None:
    """Fill a rebuilt environment: simulation, generators, wrapper scalars, a renderer."""
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

    env.__dict__.update(state["attributes"])
    env.model = env.data.model
    env.mujoco_renderer = MujocoRenderer.__new__(MujocoRenderer)
    env.mujoco_renderer.__dict__.update(state["renderer"], model=env.model, data=env.data)


def is_mujoco_data(value: Any) -> bool:
    """Tell whether a value is MuJoCo's `MjData`; loads nothing."""
    mujoco = sys.modules.get("mujoco")
    return mujoco is not None and type(value) is mujoco.MjData


def reduce_mujoco_data(data: Any) -> tuple[Any, ...]:
    """Return how pickle saves `MjData`: model and data as one array of bytes, out of band."""
    import pickle

    return rebuild_mujoco_data, (np.frombuffer(pickle.dumps(data, 5), np.uint8).copy(),)


def mujoco_arrays(data: Any) -> dict[str, Any]:
    """Return the physical state in `MjData`, by name: arrays, and the counts that go with them.

    What is left out says how the state was computed and not what it is: timers, the solver's
    iterations, addresses, which results are cached. Two equal runs differ in those.
    """
    arrays = {}
    for name in dir(data):
        if name.startswith(("_", "solver", "maxuse")):
            continue
        value = getattr(data, name)
        if isinstance(value, np.ndarray):
            arrays[name] = value
    return {**arrays, "time": data.time, "ncon": data.ncon, "nefc": data.nefc}


def rebuild_mujoco_data(content: np.ndarray) -> Any:
    """Build `MjData`, its model within it."""
    import pickle

    return pickle.loads(content.tobytes())


def check_env(env: Any, copy: Callable[[Any], Any]) -> EnvState:
    """Find out whether copies of an environment continue exactly, without touching it.

    A copy is stepped a little, copied again, and both go on with the same actions. An environment
    that is rebuilt from its arguments when it is unpickled gives itself away here.

    Args:
        env: an Environment; only copies of it are stepped.
        copy: saves and loads a value.
    """
    with global_rng_untouched():
        try:
            first = copy(env)
        except Exception as error:
            return _register_rebuilt(env, f"it cannot be pickled: {type(error).__name__}: {error}")
        if begins_anew(env):
            return EnvState("restart", _rebuilt_types[type(_innermost(env))])
        space = copy(env.action_space)
        space.seed(0)
        first.reset(seed=0)
        _step(first, space, CHECK_STEPS_BEFORE)
        try:
            twin, twin_space = copy(first), copy(space)
        except Exception as error:
            return _register_rebuilt(env, f"it cannot be pickled: {type(error).__name__}: {error}")
        return _compare(first, space, twin, twin_space)


def _innermost(env: Any) -> Any:
    return next(v for v in vars(env).values() if is_gymnasium_env(v)).unwrapped


def _register_rebuilt(env: Any, reason: str) -> EnvState:
    """From now on, build this kind of environment anew if gymnasium knows how."""
    inner = next((v.unwrapped for v in vars(env).values() if is_gymnasium_env(v)), None)
    if inner is not None and inner.spec is not None:
        _rebuilt_types[type(inner)] = reason
    return EnvState("restart", reason)


def _compare(first: Any, space: Any, twin: Any, twin_space: Any) -> EnvState:
    start = get_global_rng()
    expected = _step(first, space, CHECK_STEPS)
    set_global_rng(start)
    found = _step(twin, twin_space, CHECK_STEPS)
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=False)):
        if ours != theirs:
            return EnvState("restart", f"a copy of it differs at step {number} after the copy")
    return EnvState("exact")


def _step(env: Any, space: Any, steps: int) -> list[tuple[Any, ...]]:
    """Take random steps, resetting where an episode ends; return what was seen, bit for bit."""
    seen: list[tuple[Any, ...]] = []
    for _ in range(steps):
        step = env.step(space.sample())
        seen.append(
            (np.asarray(step.observation).tobytes(), float(step.reward), int(step.step_type))
        )
        if step.last:
            seen.append((np.asarray(env.reset()[0]).tobytes(),))
    return seen
