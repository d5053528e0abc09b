"""The random numbers of Python, NumPy, torch and of the run's seed."""

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from garage_like import seeding


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
    return state


def set_global_rng(state: dict[str, Any]) -> None:
    """Set every global generator to a state that `get_global_rng` returned."""
    seeding.restore_seed_state(tuple(state["seed"]))
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    if "torch" in state:
        import torch

        torch.set_rng_state(state["torch"])
        if "torch_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["torch_cuda"])


@contextlib.contextmanager
def global_rng_untouched() -> Iterator[None]:
    """Leave every global generator as it was found."""
    state = get_global_rng()
    try:
        yield
    finally:
        set_global_rng(state)
