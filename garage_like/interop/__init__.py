"""Weights in from other libraries, out to files, and runs to and from the Hugging Face Hub."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.errors import MigrationError
    from garage_like.interop.migration import MigrationReport, migrate
    from garage_like.interop.statistics import ObservationStatistics, read_vec_normalize

_HOMES = {
    "MigrationError": "garage_like.errors",
    "MigrationReport": "garage_like.interop.migration",
    "ObservationStatistics": "garage_like.interop.statistics",
    "migrate": "garage_like.interop.migration",
    "read_vec_normalize": "garage_like.interop.statistics",
}

__all__ = [
    "MigrationError",
    "MigrationReport",
    "ObservationStatistics",
    "migrate",
    "read_vec_normalize",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: the command line imports this package often."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
