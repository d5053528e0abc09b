"""The state of a run becomes a directory, and back.

Life of a snapshot: `capture` (walk the object graph, copy its arrays) → staging → `write` (files
with digests) → `commit` (fsync, rename, fsync). Reading data back (`read_snapshot`) never
unpickles; only `restore` and `load` do. Nothing here knows what an algorithm is.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garage_like.snapshot.config import SnapshotConfig
    from garage_like.snapshot.reader import SnapshotReader, list_snapshots, read_snapshot
    from garage_like.snapshot.snapshotter import Snapshotter

_HOMES = {
    "SnapshotConfig": "garage_like.snapshot.config",
    "SnapshotReader": "garage_like.snapshot.reader",
    "Snapshotter": "garage_like.snapshot.snapshotter",
    "list_snapshots": "garage_like.snapshot.reader",
    "read_snapshot": "garage_like.snapshot.reader",
}

__all__ = ["SnapshotConfig", "SnapshotReader", "Snapshotter", "list_snapshots", "read_snapshot"]


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'garage_like.snapshot' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
