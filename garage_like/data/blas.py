"""How many threads NumPy's matrix products take: as part of what makes a run repeatable."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import os
from typing import Any

import numpy as np

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def pin_threads() -> None:
    """Set one thread, unless a variable of the environment says how many.

    Networks here are small: several threads make small products slower, up to tenfold on a busy
    machine, and sums come out otherwise.
    """
    if not os.environ.keys() & {*_VARIABLES}:
        set_threads(1)


def threads() -> int | None:
    """Return how many threads products take; None if NumPy's library does not tell."""
    get = _functions()[0]
    return None if get is None else int(get())


def set_threads(count: int) -> None:
    """Set how many threads products take, if NumPy's library lets it be set."""
    set_ = _functions()[1]
    if set_ is not None:
        set_(count)


@functools.cache
def _functions() -> tuple[Any, Any]:
    """Find what gets and what sets the number, in the library that NumPy's products are from."""
    with contextlib.suppress(AttributeError, OSError):
        # What a library was linked with is looked through along with it.
        core = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
        spelled = itertools.product(("scipy_", ""), ("", "64_", "_64"))
        names = [(f"{p}openblas_{{}}_num_threads{s}").format for p, s in spelled]
        pairs = [(name("get"), name("set")) for name in names]
        for get, set_ in [*pairs, ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads")]:
            if hasattr(core, get) and hasattr(core, set_):
                return getattr(core, get), getattr(core, set_)
    return None, None
