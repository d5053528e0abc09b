"""What is known of environments: how well they survive a snapshot.

How they are saved is their kind's affair (`gymnasium`). Whether that worked is found out by
`env_check`; what it finds is a value that the run holds and the pickler is given.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from garage_like.data.env_layers import is_gymnasium_class, layers_of, maker_of
from garage_like.interfaces import Environment, VectorEnvironment

EnvKind = tuple[Hashable, ...]
"""What an environment is, and all that it wraps: classes, and what gymnasium made them with."""


@dataclass(frozen=True)
class EnvState:
    """How well an environment survives a snapshot, as `env_check` found out.

    Attributes:
        mode: `'exact'`; `'restart'`: it begins a new episode; `'numerical'`: it goes on in the
            middle of one, but nobody can say that it does so exactly.
        reason: why it is not exact.
        rebuild: whether the innermost one cannot be pickled, and is built again.
        make: what it is built by; None: its spec.
        fills: whether what wraps it is filled past a `__setstate__` of its own, which fails.
        settings: attributes that did not change while it was tried; what was found out holds for
            others of its classes that agree in these.
    """

    mode: str
    reason: str = ""
    rebuild: bool = False
    make: Callable[[], Any] | None = field(default=None, compare=False, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    fills: bool = False

    @property
    def exact(self) -> bool:
        """Whether the environment goes on in the middle of an episode, bit for bit."""
        return self.mode == "exact"


EnvStates = Mapping[EnvKind, EnvState]
"""What is known of environments. A run has its own: another one's say nothing of its settings."""

NOTHING_KNOWN: EnvStates = MappingProxyType({})


class KnownEnvs(dict[EnvKind, EnvState]):
    """What a run knows of its environments, wherever in its graph they are; finds out the rest.

    The pickler shows each environment that it comes upon. What is not known of one is found out
    between two attempts at pickling, see `settle`.

    Args:
        find_out: tells how well an environment survives a snapshot.

    Attributes:
        inexact: environments of the last graph that are not exact, and what is known of them.
    """

    def __init__(self, find_out: Callable[[Any], EnvState]) -> None:
        super().__init__()
        self._find_out = find_out
        self._settled: dict[int, Callable[[], Any]] = {}
        self._waiting: list[Any] = []
        self._covered: dict[int, Any] = {}
        self._has_inexact = False
        self.inexact: list[tuple[Any, EnvState]] = []

    def begin(self) -> None:
        """Forget which environments the last graph held; `inexact` starts over."""
        self._waiting, self._covered, self.inexact = [], {}, []

    def meet(self, env: Any) -> None:
        """Note an environment that is about to be pickled, if it is no part of one noted before."""
        if id(env) in self._covered:
            return
        settled = self._settled.get(id(env))
        if settled is not None and settled() is env:
            state = self.state_of(env) if self._has_inexact else None
            if state is None or state.exact:
                return
            self.inexact.append((env, state))
        else:
            self._waiting.append(env)
        self._covered.update((id(part), part) for part in _parts_of(env))

    def settle(self) -> bool:
        """Find out about environments that were met and not known.

        Returns:
            Whether one of them has to be pickled in another way than it was.
        """
        must_repeat = False
        waiting, self._waiting = self._waiting, []
        for env in waiting:
            state = self.learn(env)
            must_repeat = must_repeat or state.mode == "restart"
            if not state.exact:
                self.inexact.append((env, state))
        return must_repeat

    def learn(self, env: Any) -> EnvState:
        """Return what is known of an environment; find it out if nothing is."""
        state = self.state_of(env)
        kind = kind_of(env)
        if state is None:
            state = self[kind] = self._find_out(env)
            self._has_inexact = self._has_inexact or not state.exact
        self._settle(env, kind)
        return state

    def succeed(self, old: Any, new: Any) -> None:
        """Note that an environment is a newer copy of one: what is known of that holds for it."""
        state = self.state_of(old)
        if state is not None:
            self[kind_of(new)] = state
            self._settle(new, kind_of(new))

    def _settle(self, env: Any, kind: EnvKind) -> None:
        for part in _parts_of(env):
            if id(part) not in self._settled:
                self._settled[id(part)] = self._reference(part, kind)

    def state_of(self, env: Any) -> EnvState | None:
        """Return what is known of an environment."""
        return self.get(kind_of(env))

    def _reference(self, layer: Any, kind: EnvKind) -> Callable[[], Any]:
        """Refer to an object without keeping it; what is known of it alone goes with it."""
        number = id(layer)

        def forget(reference: Any) -> None:
            self._settled.pop(number, None)
            if any(isinstance(part, tuple) and part[-1] == number for part in kind):
                self.pop(kind, None)

        try:
            return weakref.ref(layer, forget)
        except TypeError:  # of a class with slots: then it is kept
            return lambda: layer


def _parts_of(env: Any) -> Iterator[Any]:
    """Yield an environment, what it wraps, and those that a vector environment steps."""
    for layer in layers_of(env):
        yield layer
        beside = getattr(layer, "envs", None) if is_gymnasium_class(type(layer)) else None
        for other in beside[1:] if isinstance(beside, list) else ():
            yield from layers_of(other)


def is_env_class(cls: type) -> bool:
    """Tell whether a class is one of environments: ours, gymnasium's, or the user's."""
    return is_gymnasium_class(cls) or issubclass(cls, Environment | VectorEnvironment)


def innermost(env: Any) -> Any:
    """Return the environment that all others around it merely wrap."""
    return layers_of(env)[-1]


def kind_of(env: Any) -> EnvKind:
    """Return what an environment has in common with others that pickle as it does."""
    return tuple(_settings(part) for part in layers_of(env))


def _settings(env: Any) -> Hashable:
    """Return the class, and what tells its objects apart: the spec's arguments, or which it is."""
    cls = type(env)
    package = cls.__module__.partition(".")[0]
    if package == "garage_like" or (package == "gymnasium" and env.unwrapped is not env):
        return (cls,)
    spec = vars(env).get("spec") if is_gymnasium_class(cls) else None
    kwargs = getattr(spec, "kwargs", None)
    if spec is None or not isinstance(kwargs, Mapping):
        return cls, id(env)
    plain = {name: value for name, value in kwargs.items() if is_constant(value)}
    if len(plain) < len(kwargs):
        return cls, id(env)
    return cls, spec.id, repr(sorted(plain.items()))


def is_constant(value: Any) -> bool:
    """Tell whether a value reads the same in every copy."""
    if isinstance(value, tuple | list):
        return all(map(is_constant, value))
    return isinstance(value, str | bytes | int | float | None)


def why_restarting(env: Any, known: EnvStates) -> str | None:
    """Return why an environment begins a new episode after a restore, or None if it goes on."""
    if all(state.mode != "restart" for state in list(known.values())):
        return None
    kind = kind_of(env)
    states = (known.get(kind[number:]) for number in range(len(kind)))
    return next((s.reason for s in states if s is not None and s.mode == "restart"), None)


def can_rebuild(env: Any) -> bool:
    """Tell whether it is known how the innermost environment is made."""
    inner = innermost(env)
    if maker_of(env) is not None:
        return True
    return is_gymnasium_class(type(inner)) and inner.spec is not None


def rebuilt_as(env: Any, known: EnvStates) -> EnvState | None:
    """Return what is known of an innermost environment that is built again."""
    rebuilt = {kind[-1]: state for kind, state in list(known.items()) if state.rebuild}
    return rebuilt.get(_settings(env)) if rebuilt else None


def is_filled(env: Any, known: EnvStates) -> bool:
    """Tell whether a layer of an environment is not to be asked to set its own state."""
    kinds = [kind for kind, state in list(known.items()) if state.fills]
    return bool(kinds) and any(_settings(env) in kind for kind in kinds)


def only_brings_up_to_date(set_state: Any) -> bool:
    """Tell whether a `__setstate__` sets attributes, and else mends old forms: that of spaces."""
    found: bool = set_state.__module__.startswith("gymnasium.spaces.")
    return found
