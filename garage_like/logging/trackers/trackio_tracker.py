"""TrackioTracker: a run in trackio, continued when it is resumed."""

from __future__ import annotations

import importlib
import uuid
from pathlib import Path
from typing import Any

from garage_like.logging.trackers.mirror import TrackedRun, artifact_name


class TrackioTracker:
    """Log to `trackio.init(**options)`.

    trackio finds a run again by its name, so the name has a few random letters at its end.

    Args:
        options: of `trackio.init`; project, name, group and config are the run's unless given here.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._run: Any = None
        self._run_name = ""

    def start(self, run: TrackedRun) -> int:
        """Begin a run, or go on with the one whose name is known."""
        trackio = importlib.import_module("trackio")
        name = self._options.get("name") or f"{run.name}-{uuid.uuid4().hex[:6]}"
        name = run.memory.setdefault("name", name)
        self._run_name = name
        tags = {"tags": list(run.tags)} if run.tags else {}
        self._run = trackio.init(
            **{
                "project": run.project,
                "group": run.group,
                "embed": False,
                **self._options,
                "config": {**tags, **run.config(self._options.get("config"))},
                "name": name,
                "resume": "allow",
            }
        )
        next_step: int = self._run._next_step  # trackio says it nowhere else for every storage
        return next_step - 1

    def log(self, row: dict[str, float], step: int) -> None:
        """Add a row."""
        self._run.log(row, step=step)

    def add(self, path: Path, kind: str) -> None:
        """Add an artifact: a version of the run's videos, or of its snapshots."""
        name = artifact_name(self._run_name, kind)
        self._run.log_artifact(path, name=name, type=kind, aliases=[path.stem])

    def finish(self, failed: bool) -> None:
        """Finish the session."""
        self._run.finish()
