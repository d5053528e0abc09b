"""WandbTracker: a run in Weights & Biases, continued under the same id when it is resumed."""

from __future__ import annotations

import importlib
import os
import uuid
from pathlib import Path
from typing import Any

from garage_like.logging.trackers.mirror import TrackedRun, artifact_name
from garage_like.logging.trackers.wandb_files import last_step_offline

_OFFLINE = ("offline", "dryrun")


class WandbTracker:
    """Log to `wandb.init(**options)`.

    Online, a resumed run goes on with the run that it has. wandb ignores a resume while it is
    offline, so there each session is a run of its own, all of them in one group; uploaded, they
    stand side by side. wandb keeps rows in memory for a while, and a kill loses them; so a session
    begins with the first row that the files of the earlier ones do not hold.

    Args:
        options: of `wandb.init`; the project is the folder of the run directory, the name and the
            group are the run's, and the config its parameters, unless given here.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._run: Any = None
        self._run_name = ""

    def start(self, run: TrackedRun) -> int:
        """Begin a run, or go on with the one whose id is known."""
        wandb = importlib.import_module("wandb")
        self._run_name = run.name
        mode = self._options.get("mode") or os.environ.get("WANDB_MODE", "online")
        known = str(run.memory.setdefault("id", self._options.get("id") or uuid.uuid4().hex[:12]))
        session = int(run.memory.get("session", 0)) + 1
        run.memory["session"] = session
        is_next_segment = mode in _OFFLINE and session > 1
        folder = Path(self._options.get("dir") or run.directory)
        held = last_step_offline(folder, known) if mode in _OFFLINE else -1
        self._run = wandb.init(
            **{
                "project": run.project,
                "name": f"{run.name} ({session})" if is_next_segment else run.name,
                "group": run.group,
                **self._options,
                "config": run.config(self._options.get("config")),
                "tags": run.all_tags(self._options.get("tags")) or None,
                "dir": str(folder),
                "id": f"{known}-{session}" if is_next_segment else known,
                "resume": None if mode in _OFFLINE else "allow",
            }
        )
        if mode in _OFFLINE:
            return held
        return int(self._run.step) - 1 if self._run.resumed else -1

    def log(self, row: dict[str, float], step: int) -> None:
        """Add a row."""
        self._run.log(row, step=step)

    def add(self, path: Path, kind: str) -> None:
        """Add an artifact: a version of the run's videos, or of its snapshots."""
        name = artifact_name(self._run_name, kind)
        self._run.log_artifact(str(path), name=name, type=kind, aliases=["latest", path.stem])

    def finish(self, failed: bool) -> None:
        """Finish the session."""
        self._run.finish(exit_code=int(failed))
