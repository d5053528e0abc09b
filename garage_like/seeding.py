"""One seed for a run, and an independent random stream for each of its parts.

Every part asks for its stream by name (`stream('worker', 3)`), so what it draws does not depend on
which other parts exist, were started before it, or draw as well.
"""

import random
import sys
import zlib

import numpy as np

_seed: int | None = None
_entropy: int | None = None


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and, where they are loaded or will be loaded, torch and TensorFlow.

    Args:
        seed: a non-negative integer below 2**32.

    Raises:
        ValueError: if the seed is out of range.
        TypeError: if it is no integer.
    """
    global _seed, _entropy
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"set_seed: seed must be an integer, got {seed!r}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"set_seed: seed must be in [0, 2**32), got {seed!r}")
    _seed = _entropy = int(seed)
    random.seed(_seed)
    np.random.seed(_seed)
    for framework in ("torch", "tensorflow"):
        if framework in sys.modules:
            seed_framework(framework)


def get_seed() -> int | None:
    """Return the seed given to `set_seed`, or None if there was none."""
    return _seed


def get_entropy() -> int:
    """Return what all streams of this process derive from: the seed, or a number drawn once.

    A run that was never seeded draws 64 bits from the operating system, and records them, so that
    it too can be resumed and repeated exactly.
    """
    global _entropy
    if _entropy is None:
        _entropy = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return _entropy


def seed_state() -> tuple[int | None, int]:
    """Return what `restore_seed_state` takes: the seed and the entropy of this process."""
    return _seed, get_entropy()


def restore_seed_state(state: tuple[int | None, int | None]) -> None:
    """Make `get_seed` and `stream` answer as in the process that called `seed_state`."""
    global _seed, _entropy
    _seed, _entropy = state


def seed_sequence(name: str, *numbers: int, entropy: int | None = None) -> np.random.SeedSequence:
    """Return the seed sequence of the part called `name` (and numbered `numbers`).

    Args:
        name: of the part.
        numbers: which of several such parts.
        entropy: derive it from this seed instead of the run's.
    """
    source = get_entropy() if entropy is None else entropy
    return np.random.SeedSequence(source, spawn_key=(zlib.crc32(name.encode()), *numbers))


def stream(name: str, *numbers: int, entropy: int | None = None) -> np.random.Generator:
    """Return a fresh generator for the part called `name`; the same call gives the same stream."""
    return np.random.Generator(np.random.PCG64(seed_sequence(name, *numbers, entropy=entropy)))


def integer_seed(name: str, *numbers: int, entropy: int | None = None) -> int:
    """Return a 32-bit seed for a part that takes a number, such as `env.reset(seed=...)`."""
    return int(seed_sequence(name, *numbers, entropy=entropy).generate_state(1)[0])


def seed_framework(framework: str) -> None:
    """Seed one framework from the run's seed; called when it is loaded after `set_seed`."""
    if _seed is None:
        return
    if framework == "torch":
        import torch

        torch.manual_seed(_seed)
    elif framework == "tensorflow":
        import tensorflow

        tensorflow.random.set_seed(_seed)
