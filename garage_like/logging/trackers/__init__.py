"""Mirrors of a run directory in experiment trackers: Weights & Biases, trackio, MLflow.

The run directory stays the truth. A tracker gets the rows of `progress.jsonl` that it does not hold
yet, then each new one; a tracker that fails is a warning, and gets what it missed when the run is
resumed.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.logging.trackers.choice import TRACKERS as TRACKERS
    from garage_like.logging.trackers.choice import check_installed as check_installed
    from garage_like.logging.trackers.choice import check_trackers as check_trackers
    from garage_like.logging.trackers.mirror import Mirror as Mirror
    from garage_like.logging.trackers.mirror import RisingSteps as RisingSteps
    from garage_like.logging.trackers.mirror import TrackedRun as TrackedRun
    from garage_like.logging.trackers.mirror import Tracker as Tracker

__getattr__, __dir__, __all__ = lazy.names(__name__)
