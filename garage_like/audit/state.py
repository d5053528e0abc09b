"""The state of a run at a safe point, as digests by path: what two runs are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garage_like.audit.times import is_time, is_time_at
from garage_like.snapshot.graph.parts import parts_function, parts_of
from garage_like.snapshot.graph.walk import leaves, walk
from garage_like.snapshot.kinds.attributes import attributes_of
from garage_like.snapshot.kinds.registry import KINDS
from garage_like.trainer.safe_points import SafePoint


def state_of(point: SafePoint) -> dict[str, str]:
    """Return a digest of everything that a snapshot saves here, by path, and of the row's columns.

    Times are left out, and so are the arguments of `train`: they say where a resume began.
    """
    graph = {name: value for name, value in point.graph.items() if name != "train_args"}
    digests = {path: digest for path, digest in leaves(graph).items() if not is_time_at(path)}
    digests.update(
        (f"log[{column!r}]", repr(value))
        for column, value in point.row.items()
        if not is_time(column)
    )
    return digests


def left_out(graph: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of what objects leave out of their own pickled state, by path.

    Objects of the libraries leave out what they can make again; only those of other code count.
    """
    found: dict[str, Any] = {}
    for path, value in walk(graph):
        cls = type(value)
        if KINDS.knows(cls) or parts_function(cls) in (None, attributes_of):
            continue
        if not hasattr(value, "__dict__"):
            continue
        saved = {label for label, _ in parts_of(value)}
        for label, part in attributes_of(value):
            if label not in saved:
                found[path + label] = part
    return leaves(found)
