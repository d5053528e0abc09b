"""Seed an experiment: what it computes follows from the seed alone. `verify_resume` checks it."""

from typing import TYPE_CHECKING

from garage_like import lazy, seeding
from garage_like.logging.steps import log_step

if TYPE_CHECKING:
    from garage_like.audit import verify_resume as verify_resume
    from garage_like.seeding import get_seed as get_seed

__getattr__, __dir__, _lazy = lazy.names(__name__)
__all__ = ["get_seed", "get_tf_seed_stream", "set_seed", "verify_resume"]


def get_tf_seed_stream() -> int | None:
    """Return a seed for an initializer of TensorFlow, another each time; None without a run's seed.

    It is drawn from NumPy's generator, which `set_seed` seeds.
    """
    import numpy as np

    return None if seeding.get_seed() is None else int(np.random.randint(2**31))


def set_seed(seed: int) -> None:
    """Seed all that draws random numbers, as `garage_like.seeding.set_seed` does, and log it.

    Args:
        seed: a non-negative integer below 2**32.
    """
    seeding.set_seed(seed)
    log_step(f"Setting seed to {seed}")
