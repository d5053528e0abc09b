"""The kinds that there are: who is to be asked about a class, and in which order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec, TypeVar, cast

from garage_like.seeding import seed_too
from garage_like.snapshot.kinds.ale import AleKind
from garage_like.snapshot.kinds.dowel import DowelKind
from garage_like.snapshot.kinds.gymnasium import EnvironmentKind
from garage_like.snapshot.kinds.jax import JaxKind
from garage_like.snapshot.kinds.keras import KerasKind
from garage_like.snapshot.kinds.kind import Kind
from garage_like.snapshot.kinds.made_again import MadeAgainKind
from garage_like.snapshot.kinds.mujoco import MujocoKind
from garage_like.snapshot.kinds.numba import NumbaKind
from garage_like.snapshot.kinds.numpy import NumpyKind
from garage_like.snapshot.kinds.python import PythonKind
from garage_like.snapshot.kinds.stable_baselines3 import StableBaselines3Kind
from garage_like.snapshot.kinds.tensorflow import TensorFlowKind
from garage_like.snapshot.kinds.torch import TorchKind
from garage_like.snapshot.kinds.worker_envs import WorkerEnvsKind

P = ParamSpec("P")
T = TypeVar("T")


class Registry:
    """Kinds in the order in which they are asked: those that were registered last come first.

    Args:
        kinds: that there are from the beginning.

    Attributes:
        registered: those that a program told of; they are saved with what it runs.
    """

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds = list(kinds)
        self.registered: list[Kind] = []
        self._forget: list[Callable[[], None]] = []
        self.of = self.remembered(self._of)

    def register(self, kind: Kind) -> None:
        """Ask a kind from now on, before all others; it replaces one of the same name.

        Raises:
            TypeError: if it is no kind, or lacks a name that it needs.
        """
        if not isinstance(kind, Kind) or not kind.name.isidentifier():
            raise TypeError(
                "register_kind: expected an instance of a class derived from Kind, its `name` an"
                f" identifier such as 'mylibrary'; got {kind!r}"
            )
        seeds = type(kind).seed is not Kind.seed
        if seeds and not kind.modules:
            raise TypeError(
                f"register_kind: {type(kind).__name__} seeds a library; expected the name of its"
                " package in `modules`, so that it is seeded when that is loaded"
            )
        self._kinds = [kind, *(other for other in self._kinds if other.name != kind.name)]
        self.registered = [kind, *(o for o in self.registered if o.name != kind.name)]
        for forget in self._forget:
            forget()
        if seeds:
            seed_too(kind.modules[0], kind.seed)

    def register_saved(self, kinds: Iterable[Kind]) -> None:
        """Register kinds that a snapshot brings along, but for those that this process knows."""
        known = {kind.name for kind in self}
        for kind in reversed(list(kinds)):
            if kind.name not in known:
                self.register(kind)

    def remembered(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return a function of classes that remembers its answers until a kind is registered."""
        remembering = functools.lru_cache(4096)(function)
        self._forget.append(remembering.cache_clear)
        return cast(Callable[P, T], remembering)

    def __iter__(self) -> Iterator[Kind]:
        """Yield all kinds."""
        yield from self._kinds

    def loaded(self) -> list[Kind]:
        """Return the kinds whose library this process uses."""
        return [kind for kind in self if kind.is_loaded()]

    def knows(self, cls: type) -> bool:
        """Tell whether a class is a library's that has a kind, or this package's."""
        package = cls.__module__.partition(".")[0]
        return package == "garage_like" or any(package in kind.modules for kind in self)

    def _of(self, cls: type) -> tuple[Kind, ...]:
        """Return the kinds that have something to say about a class."""
        return tuple(kind for kind in self if kind.claims(cls))


KINDS = Registry(
    (
        KerasKind(),
        TensorFlowKind(),  # before Python: making a generator of Keras draws from Python's
        NumpyKind(),
        TorchKind(),
        JaxKind(),
        PythonKind(),
        MujocoKind(),
        AleKind(),
        WorkerEnvsKind(),
        StableBaselines3Kind(),
        EnvironmentKind(),
        DowelKind(),
        NumbaKind(),
        MadeAgainKind(),
    )
)
"""Of this process: what a library's objects are is the same for every run in it."""


def register_kind(kind: Kind) -> None:
    """Tell snapshots how objects of a library are saved; before anything is saved or restored.

    Args:
        kind: is asked before all others, and replaces one of the same name.

    Raises:
        TypeError: if it is no kind, or lacks a name that it needs.
    """
    KINDS.register(kind)
