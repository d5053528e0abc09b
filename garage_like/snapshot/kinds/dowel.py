"""The logger and the table, dowel's or ours: a launcher's globals would carry dead copies."""

from __future__ import annotations

from garage_like.snapshot.kinds.kind import Kind

_HOME = "garage_like.logging.light_imports"


class DowelKind(Kind):
    """The logger that a process has one of."""

    name = "dowel"
    modules = ("dowel",)
    singletons = (
        (_HOME, "logger"),
        (_HOME, "tabular"),
        ("garage_like.logging.summary_writer", "writer"),
    )
