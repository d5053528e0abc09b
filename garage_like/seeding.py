"""One seed for a run, and an independent random stream for each of its parts.

Every part asks for its stream by name (`stream('worker', 3)`), so what it draws does not depend on
which other parts exist, were started before it, or draw as well.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import random
import sys
import zlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

SEEDED_BY: dict[str, Callable[[Any, int], Any]] = {
    "torch": lambda torch, seed: torch.manual_seed(seed),
    "tensorflow": lambda tensorflow, seed: tensorflow.random.set_seed(seed),
}
"""What seeds a library once it is loaded, by its name: called with its module and the seed."""

_seed: int | None = None
_entropy: int | None = None


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and, where they are loaded or will be loaded, all of `SEEDED_BY`.

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
    for framework in SEEDED_BY:
        _seed_now_or_later(framework)


def seed_too(library: str, seed: Callable[[int], Any]) -> None:
    """Seed one more library with all others, and with the seed that there may be already.

    Args:
        library: its package.
        seed: seeds it; called when it is loaded.
    """
    SEEDED_BY[library] = lambda _, number: seed(number)
    if _seed is not None:
        _seed_now_or_later(library)


def _seed_now_or_later(library: str) -> None:
    if library in sys.modules:
        seed_framework(library)
    elif not any(isinstance(finder, _SeedWhenLoaded) for finder in sys.meta_path):
        sys.meta_path.insert(0, _SeedWhenLoaded())


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


class _SeedWhenLoaded(importlib.abc.MetaPathFinder):
    """Seed a framework when a program imports it after `set_seed`."""

    def __init__(self) -> None:
        self._is_looking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a framework as it is found otherwise, and have it seeded at the end of its import.

        Any other module is none of this finder's business.
        """
        if name not in SEEDED_BY or self._is_looking:
            return None
        self._is_looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._is_looking = False
        if spec is not None and spec.loader is not None:
            _run_afterwards(spec.loader, name)
        return spec


def _run_afterwards(loader: importlib.abc.Loader, framework: str) -> None:
    """Let this one loader seed the framework once it has run the framework's module."""
    execute = loader.exec_module

    def execute_and_seed(module: ModuleType) -> None:
        del loader.exec_module  # the loader stays with the module, as it was found
        execute(module)
        seed_framework(framework)

    loader.exec_module = execute_and_seed  # type: ignore[method-assign]


def seed_framework(framework: str) -> None:
    """Seed one framework from the run's seed, if there is one."""
    if _seed is not None:
        SEEDED_BY[framework](importlib.import_module(framework), _seed)
