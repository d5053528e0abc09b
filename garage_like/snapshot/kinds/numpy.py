"""NumPy: arrays out of band, and what shares memory with them; generators and their seeds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from garage_like.data import blas
from garage_like.snapshot.kinds import arrays, memory_maps
from garage_like.snapshot.kinds.attributes import Part, PartsFunction, attributes_of
from garage_like.snapshot.kinds.kind import (
    Kind,
    Pickling,
    Reducer,
    digest_of_bits,
)

_GENERATORS = (np.random.Generator, np.random.RandomState)


class NumpyKind(Kind):
    """Arrays, and generators of random numbers."""

    name = "numpy"
    modules = ("numpy",)
    versions = ("numpy", "scipy")

    def claims(self, cls: type) -> bool:
        return issubclass(cls, (np.ndarray, np.random.SeedSequence, *_GENERATORS))

    def reducer(self, cls: type, pickling: Pickling) -> Reducer | None:
        if cls is np.ndarray or cls is np.memmap:
            return pickling.own(_Arrays).reduce
        return reduce_seed_sequence if cls is np.random.SeedSequence else None

    def restoring(
        self, objects: Callable[[], Iterable[Part]]
    ) -> contextlib.AbstractContextManager[Any]:
        return memory_maps.going_on()

    def is_named(self, cls: type) -> bool:
        return issubclass(cls, np.ndarray)

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction | None:
        if issubclass(cls, np.ndarray):
            return _array_parts
        if issubclass(cls, _GENERATORS):
            states = _generator_parts if issubclass(cls, np.random.Generator) else _state_parts
            return states if as_pickled else _seed_parts
        return None

    def digest(self, value: Any) -> str | None:
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            return None
        told = value.dtype.str if value.dtype.isbuiltin != 2 else value.dtype.name
        content = np.ascontiguousarray(value).tobytes()
        return f"{told}{value.shape}:{digest_of_bits(content)}"

    def rng_state(self) -> dict[str, Any]:
        return {self.name: np.random.get_state()}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        np.random.set_state(state[self.name])

    def is_generator(self, cls: type) -> bool:
        return issubclass(cls, _GENERATORS)

    def generator_state(self, generator: Any) -> Any:
        if isinstance(generator, np.random.RandomState):
            return generator.get_state()
        seeds = getattr(generator.bit_generator, "seed_seq", None)
        return generator.bit_generator.state, getattr(seeds, "n_children_spawned", 0)

    def fingerprint(self) -> dict[str, Any]:
        """Return how many threads matrix products take."""
        return {"blas_threads": blas.threads()}

    def settings(self) -> dict[str, Any]:
        """Return how many threads there are: sums depend on it."""
        return self.fingerprint()

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Set the number of threads."""
        if settings.get("blas_threads"):
            blas.set_threads(settings["blas_threads"])

    def takes_weights(self, value: Any) -> bool:
        return arrays.is_plain_array(value)

    def assign(self, value: np.ndarray, numbers: np.ndarray) -> None:
        value[...] = numbers


class _Arrays:
    """The arrays of one pickle: what shares memory goes on sharing it.

    Args:
        pickling: the pickle in the making.
    """

    def __init__(self, pickling: Pickling) -> None:
        self._pickling = pickling
        self._memory = pickling.memory()
        self._announce = pickling.announce

    def reduce(self, array: np.ndarray) -> Any:
        """Return how pickle saves an array."""
        if not arrays.is_plain_array(array):
            return NotImplemented
        memory = self._memory
        if array.base is None and array.flags.c_contiguous:  # nearly all: in a third of the time
            holder, start = memory.holder(arrays.address(array), array.nbytes, array)
            views = memory.views[id(holder)]
            views.append(arrays.view_of_whole(array))
            if holder is not array:
                return self._view(holder, array, start)
            self._announce(views)
            return arrays.reduce_whole(array)
        whole = arrays.whole_array(array)
        foreign = self._pickling.foreign_memory(whole.base)
        if foreign is not None:
            size = foreign.content.nbytes
            holder, start = memory.holder(arrays.address(foreign.content), size, foreign.holder)
        elif arrays.axes_in_memory(whole.shape, whole.strides, whole.itemsize) is None:
            return NotImplemented
        else:
            holder, start = memory.holder(arrays.address(whole), whole.nbytes, whole)
        memory.views[id(holder)].append(arrays.view_of(array, start))
        if holder is not array:
            return self._view(holder, array, start)
        is_mapped = memory_maps.is_mapped(array)
        if is_mapped and array.mode == "r":
            return memory_maps.reduce_mapped(array, None)
        self._announce(memory.views[id(holder)])
        reduced = arrays.reduce_array(array)
        return memory_maps.reduce_mapped(array, reduced) if is_mapped else reduced

    def _view(self, holder: Any, array: np.ndarray, start: int) -> Any:
        """Return how pickle saves an array on memory that something else holds."""
        foreign = self._pickling.foreign_memory(holder)
        rebuild = arrays.rebuild_view if foreign is None else foreign.rebuild_view
        return rebuild, (holder, *arrays.view_arguments(array, start))


def reduce_seed_sequence(seeds: np.random.SeedSequence) -> tuple[Any, ...]:
    """Return how pickle saves what generators are seeded by, without what follows from it."""
    state = seeds.state
    return rebuild_seed_sequence, (
        state["entropy"],
        state["spawn_key"],
        state["pool_size"],
        state["n_children_spawned"],
    )


def rebuild_seed_sequence(
    entropy: Any, spawn_key: Sequence[int], pool_size: int, n_children_spawned: int
) -> np.random.SeedSequence:
    """Build what goes on to spawn where the saved one stood."""
    return np.random.SeedSequence(
        entropy,
        spawn_key=spawn_key,
        pool_size=pool_size,
        n_children_spawned=n_children_spawned,
    )


def _array_parts(array: np.ndarray) -> list[Part]:
    elements = enumerate(array.flat) if array.dtype.hasobject else ()
    return [(f"[{i}]", v) for i, v in elements] + attributes_of(array)


def _generator_parts(value: np.random.Generator) -> list[Part]:
    return [(".state", value.bit_generator.state), *_seed_parts(value)]


def _state_parts(value: np.random.RandomState) -> list[Part]:
    return [(".state", value.get_state())]


def _seed_parts(value: Any) -> list[Part]:
    """Return what a generator was seeded from: children that it spawns depend on it."""
    seeds = getattr(getattr(value, "bit_generator", None), "seed_seq", None)
    if not isinstance(seeds, np.random.SeedSequence):
        return []
    spawned = seeds.n_children_spawned
    return [(".seed_seq.pool", seeds.pool), (".seed_seq.n_children_spawned", spawned)]
