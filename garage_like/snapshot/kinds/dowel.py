"""dowel: a launcher's globals would carry dead copies of its logger and its table."""

from __future__ import annotations

from garage_like.snapshot.kinds.kind import Kind


class DowelKind(Kind):
    """The logger that a process has one of."""

    name = "dowel"
    modules = ("dowel",)
    singletons = (
        ("dowel", "logger"),
        ("dowel", "tabular"),
        ("garage_like.logging.summary_writer", "writer"),
    )
