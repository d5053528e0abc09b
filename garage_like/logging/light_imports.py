"""Import dowel, where it is installed, and tensorboardX without the frameworks that both try.

dowel's TensorBoard output imports TensorFlow, matplotlib and SciPy, and tensorboardX tries torch:
five seconds for nothing, when all that is wanted is a logger. Neither is changed for those who ask
for it: `dowel.TensorBoardOutput` is loaded when it is first used. Where there is no dowel, what has
its interface takes its place.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.util
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

from garage_like.logging import dowel_interface

_HEAVY_MODULE = "dowel.tensor_board_output"


def _load_heavy_name(name: str) -> Any:
    if name not in ("TensorBoardOutput", "tensor_board_output"):
        raise AttributeError(f"module 'dowel' has no attribute {name!r}")
    heavy = importlib.import_module(_HEAVY_MODULE)
    dowel = sys.modules["dowel"]
    vars(dowel)["TensorBoardOutput"] = heavy.TensorBoardOutput
    return getattr(dowel, name)


def _import_dowel() -> types.ModuleType:
    if sys.modules.get("dowel") is not None:
        return sys.modules["dowel"]
    if importlib.util.find_spec("dowel") is None:
        return dowel_interface
    stand_in = types.ModuleType(_HEAVY_MODULE)
    vars(stand_in)["TensorBoardOutput"] = None
    sys.modules[_HEAVY_MODULE] = stand_in
    try:
        dowel = importlib.import_module("dowel")
    finally:
        del sys.modules[_HEAVY_MODULE]
    del vars(dowel)["TensorBoardOutput"]
    vars(dowel)["__getattr__"] = _load_heavy_name
    return dowel


class _Absent(importlib.abc.MetaPathFinder):
    """Let imports of some packages fail, in the thread that made this finder."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not loaded for this import", name=fullname)


@contextlib.contextmanager
def absent(*names: str) -> Iterator[None]:
    """Let `import name` fail in this thread; what is loaded already is still found.

    Setting `sys.modules[name] = None` would do, were there not libraries that look there.
    """
    finder = _Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def load_tensorboardx() -> types.ModuleType:
    """Import tensorboardX; torch is not loaded for its sake."""
    if "tensorboardX" in sys.modules:
        return sys.modules["tensorboardX"]
    with absent("torch", "tensorflow", "comet_ml"):
        return importlib.import_module("tensorboardX")


_dowel = _import_dowel()

logger: Any = _dowel.logger
tabular: Any = _dowel.tabular
Histogram: Any = _dowel.Histogram
LogOutput: Any = _dowel.LogOutput
LoggerWarning: Any = _dowel.LoggerWarning
StdOutput: Any = _dowel.StdOutput
TabularInput: Any = _dowel.TabularInput
# What writes to a file is known by a class of its own in dowel alone.
_simple_outputs = sys.modules.get("dowel.simple_outputs")
FileOutput: Any = LogOutput if _simple_outputs is None else vars(_simple_outputs)["FileOutput"]
