"""The state of a run becomes a directory, and back.

Life of a snapshot: `capture` (walk the object graph, copy its arrays) → staging → `write` (files
with digests) → `commit` (fsync, rename, fsync). Reading data back (`read_snapshot`) never
unpickles; only `restore` and `load` do. Nothing here knows what an algorithm is.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.snapshot.config import SnapshotConfig as SnapshotConfig
    from garage_like.snapshot.kinds.kind import Kind as Kind
    from garage_like.snapshot.kinds.kind import Pickling as Pickling
    from garage_like.snapshot.kinds.registry import register_kind as register_kind
    from garage_like.snapshot.reader import SnapshotReader as SnapshotReader
    from garage_like.snapshot.reader import list_snapshots as list_snapshots
    from garage_like.snapshot.reader import read_snapshot as read_snapshot
    from garage_like.snapshot.snapshotter import Snapshotter as Snapshotter

__getattr__, __dir__, __all__ = lazy.names(__name__)
