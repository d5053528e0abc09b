"""Environments in processes of their own: their state is asked for, and handed back.

gymnasium's `AsyncVectorEnv` and Stable-Baselines3's `SubprocVecEnv` have a loop in each worker that
reads commands from a pipe. Neither can be pickled, and no command hands a state over; but whatever
a command brings along is unpickled in the worker, where a function of ours finds the environment
in the loop's variables. The flag with which gymnasium remembers that the next step is a reset lies
there, too.

What was asked for is kept as `workers_at_home`, so that it is named and compared as other objects.
"""

from __future__ import annotations

import copy
import ctypes
import functools
import inspect
import random
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.attributes import NEW_OBJECT, Part, PartsFunction, labelled
from garage_like.snapshot.kinds.environments import EnvState, KnownEnvs
from garage_like.snapshot.kinds.kind import Kind, Packing, Pickling
from garage_like.snapshot.kinds.made_again import is_only_trying, only_trying

AT_HOME = "workers_at_home"
_TOLD = "_told_to_garage_like"
_TRIED = "_only_tried_by_garage_like"
_OF_PROCESSES = frozenset(
    ("remotes", "work_remotes", "processes", "parent_pipes", "error_queue", "env_fns", _TRIED)
)


class WorkerState:
    """What a worker handed over.

    Attributes:
        env: its environment; None if that cannot be handed over.
        autoreset: whether its next step is a reset; None where there is no such flag.
        rng: the random numbers of its process.
        why: why the environment cannot be handed over: a restore begins a new episode.
    """

    why: str | None = None

    def __init__(self, env: Any, autoreset: bool | None, rng: dict[str, Any]) -> None:
        self.env, self.autoreset, self.rng = env, autoreset, rng


class WorkerEnvsKind(Kind):
    """Vector environments whose environments are in other processes."""

    name = "worker_envs"

    def claims(self, cls: type) -> bool:
        """Tell whether a class is one of them; loads nothing."""
        return _is_gymnasium(cls) or _is_sb3(cls)

    def reduce(self, value: Any, pickling: Pickling) -> Any:
        """Return a bare object, its attributes, and the workers' states."""
        if _TRIED in vars(value):  # no workers were started
            return NEW_OBJECT, (type(value),), vars(value)[_TRIED], None, None, set_workers
        packing = pickling.packing
        told = ask(value, tell, packing.pack)
        before = vars(value).get(AT_HOME, ())
        with only_trying():  # files of the workers are theirs
            vars(value)[AT_HOME] = [packing.unpack(content) for content in told]
        if isinstance(pickling.env_states, KnownEnvs):
            _tell_what_is_known(value, before, pickling.env_states)
        kept = {name: v for name, v in vars(value).items() if name not in _OF_PROCESSES}
        if _is_gymnasium(type(value)):
            kept["observations"] = copy.deepcopy(value.observations)
            start: dict[str, Any] = {}
        else:
            start = {"start_method": value.processes[0]._start_method}
        state = {"attributes": kept, "start": start, "packing": packing}
        return NEW_OBJECT, (type(value),), state, None, None, set_workers

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        """Return what leaves pipes and processes out."""
        return _parts

    def kept_when_emptied(self, value: Any) -> Mapping[str, Any]:
        """Return pipes and processes: the workers that are there get what was saved."""
        kept = {name: v for name, v in vars(value).items() if name in _OF_PROCESSES}
        if _is_gymnasium(type(value)):
            kept["observations"] = value.observations
        return kept


def _tell_what_is_known(envs: Any, before: Any, known: KnownEnvs) -> None:
    """Label environments that start over as those here; do not try the others at each save."""
    states = vars(envs)[AT_HOME]
    why = next((state.why for state in states if state.why is not None), None)
    if why is not None:
        known.inexact.append((envs, EnvState("restart", why)))
    for old, new in zip(before, states, strict=False):
        if old.env is not None and new.env is not None:
            known.succeed(old.env, new.env)


def _parts(value: Any) -> list[Part]:
    state = {name: v for name, v in vars(value).items() if name not in _OF_PROCESSES}
    return labelled(state)


def _is_gymnasium(cls: type) -> bool:
    module = sys.modules.get("gymnasium.vector.async_vector_env")
    return module is not None and issubclass(cls, module.AsyncVectorEnv)


def _is_sb3(cls: type) -> bool:
    module = sys.modules.get("stable_baselines3.common.vec_env.subproc_vec_env")
    return module is not None and issubclass(cls, module.SubprocVecEnv)


# ---- in the process that trains -------------------------------------------------------------


def ask(envs: Any, function: Callable[..., str], *arguments: Any, each: Any = None) -> list[Any]:
    """Call a function in each worker; return what it told.

    Args:
        envs: the vector environment.
        function: returns the name of the attribute of the environment that tells.
        arguments: of the function.
        each: one more argument for each worker, if there is one.

    Raises:
        RuntimeError: if the workers are gone, or in the midst of a step.
        ValueError: if an environment cannot tell; says why.
    """
    is_gymnasium = _is_gymnasium(type(envs))
    is_busy = envs._state.value != "default" if is_gymnasium else envs.waiting
    if envs.closed or is_busy:
        state = "are closed" if envs.closed else "are in the midst of a step"
        raise RuntimeError(f"environments in other processes cannot be saved while they {state}")
    pipes = envs.parent_pipes if is_gymnasium else envs.remotes
    for number, pipe in enumerate(pipes):
        own = () if each is None else (each[number],)
        message = Message(function, (*arguments, *own))
        pipe.send(("_call", (message, (), {})) if is_gymnasium else ("get_attr", message))
    answers = [pipe.recv() for pipe in pipes]
    if is_gymnasium:
        envs._raise_if_errors([ok for _, ok in answers])
        answers = [answer for answer, _ in answers]
    failed = [answer for answer in answers if isinstance(answer, str)]
    if failed:
        raise ValueError(f"an environment in another process cannot be saved: {failed[0]}")
    return answers


def set_workers(envs: Any, state: dict[str, Any]) -> None:
    """Fill a bare vector environment; give the workers their states, and start them if need be."""
    attributes, packing = state["attributes"], state["packing"]
    live = dict(vars(envs))
    observations = live.pop("observations", None)
    if is_only_trying():
        vars(envs).update(attributes, **{_TRIED: state, "closed": True})  # nothing to be closed
        return
    states = [packing.pack(worker) for worker in attributes[AT_HOME]]
    if len(live.get("processes", ())) != len(states):
        _start(envs, states, attributes, state["start"], packing)
        live = {name: v for name, v in vars(envs).items() if name in _OF_PROCESSES}
        observations = vars(envs).get("observations")
    vars(envs).update(attributes)
    vars(envs).update(live)
    if observations is not None:  # they may lie in memory that the workers write to
        envs.observations = observations
        _fill(observations, attributes["observations"])
    ask(envs, take, packing.unpack, each=states)


def _start(
    envs: Any,
    states: list[bytes],
    attributes: Mapping[str, Any],
    start: Mapping[str, Any],
    packing: Packing,
) -> None:
    make = [functools.partial(env_of, packing.unpack, state) for state in states]
    base: Any = next(
        cls
        for cls in type(envs).__mro__
        if cls.__module__.startswith(("gymnasium.", "stable_baselines3."))
    )
    known = inspect.signature(base.__init__).parameters
    options = {name: attributes[name] for name in known if name in attributes}
    base.__init__(envs, make, **{**options, **start})


def _fill(live: Any, saved: Any) -> None:
    """Write observations into those that are there, whatever they are made of."""
    if isinstance(live, np.ndarray):
        live[...] = saved
    elif isinstance(live, Mapping):
        for name in live:
            _fill(live[name], saved[name])
    elif isinstance(live, tuple | list):
        for ours, theirs in zip(live, saved, strict=True):
            _fill(ours, theirs)


# ---- in a worker ----------------------------------------------------------------------------


class Message:
    """Call a function where this is unpickled.

    Args:
        function: returns the name of an attribute of the worker's environment.
        arguments: of the function.
    """

    def __init__(self, function: Callable[..., str], arguments: tuple[Any, ...]) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        """Return the call."""
        return self._call


def tell(pack: Callable[[Any], bytes]) -> str:
    """Have the environment tell its state, or why it cannot."""
    loop = _loop()
    env: Any = loop.f_locals["env"]
    vars(env).pop(_TOLD, None)
    rng = {"python": random.getstate(), "numpy": np.random.get_state()}
    try:
        told: Any = pack(WorkerState(env, loop.f_locals.get("autoreset"), rng))
    except Exception as error:
        state = WorkerState(None, None, rng)
        state.why = f"it cannot be pickled: {type(error).__name__}: {error}"
        told = pack(state)
    vars(env)[_TOLD] = told
    return _TOLD


def take(unpack: Callable[[bytes], Any], content: bytes) -> str:
    """Put an environment in the place of the worker's."""
    state, loop = unpack(content), _loop()
    variables = loop.f_locals
    env = variables["env"] if state.env is None else state.env
    variables["env"] = env
    if state.autoreset is not None:
        variables["autoreset"] = state.autoreset
    if sys.version_info < (3, 13):  # from then on the variables are written at once
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(loop), ctypes.c_int(0))
    random.setstate(state.rng["python"])
    np.random.set_state(state.rng["numpy"])
    if state.env is None:
        env.reset()
    vars(env)[_TOLD] = None
    return _TOLD


def env_of(unpack: Callable[[bytes], Any], content: bytes) -> Any:
    """Return the environment that a worker begins with.

    Raises:
        ValueError: if it could not be saved.
    """
    state = unpack(content)
    if state.env is None:
        raise ValueError(
            f"an environment in another process could not be saved, since {state.why}; it goes on"
            " where the script has made it again"
        )
    return state.env


def _loop() -> types.FrameType:
    """Return the loop of the worker, whose variables hold the environment."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        found = frame.f_locals
        if "env" in found and ("remote" in found or "pipe" in found):
            return frame
        frame = frame.f_back
    raise RuntimeError("the worker's loop is not known: its variables hold no environment")
