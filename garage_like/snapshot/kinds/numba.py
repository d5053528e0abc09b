"""numba: functions that it compiled hold no state; its random numbers are its own."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from garage_like.snapshot.kinds.attributes import PartsFunction
from garage_like.snapshot.kinds.kind import Kind, no_parts

_FRESH = 624
"""Where a generator stands that has drawn nothing since it was seeded, or a multiple of that."""

_STATE = np.dtype(
    [("place", "i4"), ("words", "u4", 624), ("has_normal", "i4"), ("normal", "f8"), ("made", "i4")],
    align=True,
)
"""`rnd_state_t` of numba: its functions tell place and words, not the normal number in hand."""


class NumbaKind(Kind):
    """Compiled functions, which pickle saves by what they were compiled from.

    What they draw from `numpy.random` and `random` comes from generators of numba's, one each for a
    thread. Those of the thread that trains are saved once something was drawn from them: before,
    the script seeds them itself, or they are different in each process.
    """

    name = "numba"
    modules = ("numba", "llvmlite")
    versions = ("numba",)

    def __init__(self) -> None:
        self._fresh: dict[str, np.ndarray | None] = {}  # as seen first; None: in use

    def claims(self, cls: type) -> bool:
        return cls.__module__.partition(".")[0] in self.modules

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return no_parts

    def rng_state(self) -> dict[str, Any]:
        return {name: state for name, state in _states().items() if self._is_used(name, state)}

    def set_rng_state(self, state: Mapping[str, Any]) -> None:
        if "numba" in state or "numba_python" in state:
            import numba.core.runtime  # noqa: F401
        for name, fresh in _states().items():
            self._fresh[name] = None if name in state else fresh
            if name in state:
                saved = np.ascontiguousarray(state[name])
                ctypes.memmove(_address(name), saved.ctypes.data, _STATE.itemsize)

    def _is_used(self, name: str, state: np.ndarray) -> bool:
        if name not in self._fresh:
            is_fresh = state.view(_STATE)["place"][0] == _FRESH
            self._fresh[name] = state if is_fresh else None
        fresh = self._fresh[name]
        return fresh is None or not np.array_equal(fresh, state)


def _address(name: str) -> int:
    helpers: Any = sys.modules["numba._helperlib"]
    if name == "numba":
        return int(helpers.rnd_get_np_state_ptr())
    return int(helpers.rnd_get_py_state_ptr())


def _states() -> dict[str, np.ndarray]:
    """Return copies of the generators of this thread, where numba is loaded."""
    names = ("numba", "numba_python") if "numba._helperlib" in sys.modules else ()
    raw = {name: ctypes.string_at(_address(name), _STATE.itemsize) for name in names}
    return {name: np.frombuffer(content, np.uint8) for name, content in raw.items()}
