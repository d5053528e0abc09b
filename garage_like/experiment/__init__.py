"""A decorated function becomes a run: its directory, its logs, its snapshots.

Names are loaded when they are first used, so importing this package loads no framework.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.experiment import deterministic
    from garage_like.experiment.context import ExperimentContext
    from garage_like.experiment.decorator import wrap_experiment
    from garage_like.snapshot.config import SnapshotConfig
    from garage_like.snapshot.snapshotter import Snapshotter
    from garage_like.tf.tf_trainer import TFTrainer
    from garage_like.trainer import Trainer

_HOMES = {
    "ExperimentContext": "garage_like.experiment.context",
    "SnapshotConfig": "garage_like.snapshot.config",
    "Snapshotter": "garage_like.snapshot.snapshotter",
    "TFTrainer": "garage_like.tf.tf_trainer",
    "Trainer": "garage_like.trainer",
    "wrap_experiment": "garage_like.experiment.decorator",
}

__all__ = [
    "ExperimentContext",
    "SnapshotConfig",
    "Snapshotter",
    "TFTrainer",
    "Trainer",
    "deterministic",
    "wrap_experiment",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name == "deterministic":
        return importlib.import_module("garage_like.experiment.deterministic")
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like.experiment' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
