"""The random numbers of Python, NumPy, torch, TensorFlow and of the run's seed."""

import contextlib
import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.snapshot.disk.digests import blake2b_of

_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def get_global_rng() -> dict[str, Any]:
    """Return the state of every global generator that is in use in this process."""
    state: dict[str, Any] = {
        "seed": seeding.seed_state(),
        "python": random.getstate(),
        "numpy": np.random.get_state(),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        state["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            state["torch_cuda"] = torch.cuda.get_rng_state_all()
    if hasattr(sys.modules.get("tensorflow"), "Variable"):
        from garage_like.snapshot import tf_random

        state["tensorflow"] = tf_random.get_state()
    return state


def set_global_rng(state: dict[str, Any]) -> None:
    """Set every global generator to a state that `get_global_rng` returned."""
    if "tensorflow" in state:  # first: making a generator of Keras draws from Python's
        from garage_like.snapshot import tf_random

        tf_random.set_state(state["tensorflow"])
    seeding.restore_seed_state(tuple(state["seed"]))
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    if "torch" in state:
        import torch

        torch.set_rng_state(state["torch"])
        if "torch_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["torch_cuda"])


def hidden_random_numbers() -> list[str]:
    """Return which random numbers in use cannot be saved, a sentence each: see `tf_random`."""
    if not hasattr(sys.modules.get("tensorflow"), "Variable"):
        return []
    from garage_like.snapshot import tf_random
    from garage_like.snapshot.graph import tf_sessions

    return tf_random.why_inexact() + tf_sessions.why_default_session_is_inexact()


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
    torch = sys.modules.get("torch")
    return issubclass(cls, _GENERATORS) or (torch is not None and issubclass(cls, torch.Generator))


def generator_state(generator: Any) -> Any:
    """Return what says what a generator will draw, and the children that it will spawn.

    Returns:
        Numbers, arrays and text in dicts and tuples; a copy.
    """
    if isinstance(generator, np.random.Generator):
        seeds = getattr(generator.bit_generator, "seed_seq", None)
        spawned = getattr(seeds, "n_children_spawned", 0)
        return generator.bit_generator.state, spawned
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state()
    return generator.get_state().cpu().numpy()


def global_states(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the global generators from what `get_global_rng` returned."""
    return {name: state[name] for name in ("python", "numpy") if name in state}


def state_digest(state: Any) -> str:
    """Return a digest of what `generator_state` returns."""
    return blake2b_of(_pieces(state))


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
