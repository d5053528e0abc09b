"""Mirrors of a run directory in experiment trackers: Weights & Biases, trackio, MLflow.

The run directory stays the truth. A tracker gets the rows of `progress.jsonl` that it does not hold
yet, then each new one; a tracker that fails is a warning, and gets what it missed when the run is
resumed.
"""

import importlib
from typing import TYPE_CHECKING, Any

from garage_like.logging.trackers.choice import TRACKERS, check_installed, check_trackers

if TYPE_CHECKING:
    from garage_like.logging.trackers.mirror import Mirror, RisingSteps, TrackedRun, Tracker

__all__ = [
    "TRACKERS",
    "Mirror",
    "RisingSteps",
    "TrackedRun",
    "Tracker",
    "check_installed",
    "check_trackers",
]


def __getattr__(name: str) -> Any:
    """Load what needs dowel when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'garage_like.logging.trackers' has no attribute {name!r}")
    return getattr(importlib.import_module("garage_like.logging.trackers.mirror"), name)
