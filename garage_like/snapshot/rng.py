"""The random numbers of Python, of the libraries that are loaded, and of the run's seed."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.errors import SnapshotMismatchError
from garage_like.snapshot.disk.digests import digest_of
from garage_like.snapshot.kinds.registry import KINDS

_SEED = "seed"


def get_global_rng() -> dict[str, Any]:
    """Return the state of every global generator that is in use in this process."""
    state: dict[str, Any] = {_SEED: seeding.seed_state()}
    for kind in KINDS.loaded():
        state |= kind.rng_state()
    return state


def set_global_rng(state: dict[str, Any]) -> None:
    """Set every global generator to a state that `get_global_rng` returned.

    Raises:
        SnapshotMismatchError: if nothing is known here of one of them.
    """
    known = {_SEED, *(kind.name for kind in KINDS)}
    for name in state:
        if name not in known and name.partition("_")[0] not in known:
            raise SnapshotMismatchError(
                f"the snapshot holds random numbers of {name}, of which nothing is known here; call"
                " register_kind as the run did, before restoring"
            )
    for kind in KINDS:
        kind.set_rng_state(state)
    seeding.restore_seed_state(tuple(state[_SEED]))


def hidden_random_numbers() -> list[str]:
    """Return which random numbers in use cannot be saved, a sentence each."""
    return [reason for kind in KINDS.loaded() for reason in kind.why_inexact()]


@contextlib.contextmanager
def global_rng_untouched() -> Iterator[None]:
    """Leave every global generator as it was found."""
    state = get_global_rng()
    try:
        yield
    finally:
        set_global_rng(state)


def is_generator_class(cls: type) -> bool:
    """Tell whether a class is one of random generators; loads nothing."""
    return any(kind.is_generator(cls) for kind in KINDS.of(cls))


def generator_state(generator: Any) -> Any:
    """Return what says what a generator will draw, and the children that it will spawn.

    Returns:
        Numbers, arrays and text in dicts and tuples; a copy.
    """
    cls = type(generator)
    kind = next(kind for kind in KINDS.of(cls) if kind.is_generator(cls))
    return kind.generator_state(generator)


def global_states(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the global generators from what `get_global_rng` returned."""
    return {name: state[name] for name in ("python", "numpy") if name in state}


def state_digest(state: Any) -> str:
    """Return a digest of what `generator_state` returns."""
    return digest_of(_pieces(state)).blake2b


def _pieces(state: Any) -> Iterator[bytes]:
    if isinstance(state, np.ndarray):
        yield np.ascontiguousarray(state).tobytes()
    elif isinstance(state, dict):
        for key, value in state.items():
            yield f"{key}:".encode()
            yield from _pieces(value)
    elif isinstance(state, tuple) and len(state) < 100:
        for value in state:
            yield from _pieces(value)
            yield b","
    else:
        yield repr(state).encode()
