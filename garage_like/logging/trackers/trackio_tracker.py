"""TrackioTracker: a run in trackio, continued when it is resumed."""

from __future__ import annotations

import importlib
import uuid
from typing import Any

from garage_like.logging.trackers.mirror import TrackedRun


class TrackioTracker:
    """Log to `trackio.init(**options)`.

    trackio finds a run again by its name, so the name has a few random letters at its end.

    Args:
        options: of `trackio.init`; project, name, group and config are the run's unless given here.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._run: Any = None

    def start(self, run: TrackedRun) -> int:
        """Begin a run, or go on with the one whose name is known."""
        trackio = importlib.import_module("trackio")
        name = self._options.get("name") or f"{run.name}-{uuid.uuid4().hex[:6]}"
        name = run.memory.setdefault("name", name)
        self._run = trackio.init(
            **{
                "project": run.project,
                "group": run.group,
                "embed": False,
                **self._options,
                "config": run.config(self._options.get("config")),
                "name": name,
                "resume": "allow",
            }
        )
        next_step: int = self._run._next_step  # trackio says it nowhere else for every storage
        return next_step - 1

    def log(self, row: dict[str, float], step: int) -> None:
        """Add a row."""
        self._run.log(row, step=step)

    def finish(self, failed: bool) -> None:
        """Finish the session."""
        self._run.finish()
