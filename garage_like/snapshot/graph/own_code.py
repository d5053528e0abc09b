"""Which code is the user's own: not installed, not Python's, not this package's."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def is_own_class(cls: type) -> bool:
    """Tell whether a class stands in the launcher or in another file of the user's."""
    if cls.__module__ == "__main__":
        return True
    return is_own_file(getattr(sys.modules.get(cls.__module__), "__file__", None))


@functools.lru_cache(10_000)
def is_own_file(file: str | None) -> bool:
    """Tell whether a file of Python is the user's own."""
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    path = Path(file).resolve()
    if _PACKAGE in path.parents or path.is_relative_to(Path(sys.base_prefix, "lib")):
        return False
    return not {"site-packages", "dist-packages"}.intersection(path.parts)
