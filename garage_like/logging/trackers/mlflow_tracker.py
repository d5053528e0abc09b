"""MlflowTracker: a run in MLflow, continued under the same id when it is resumed."""

from __future__ import annotations

import importlib
import re
import time
from pathlib import Path
from typing import Any

from garage_like.logging.trackers.mirror import TrackedRun

_MAX_PARAMETER = 500


class MlflowTracker:
    """Log to an MLflow server or store.

    MLflow refuses parentheses in names of metrics: `x (max)` is `x max` there.

    Args:
        options: `tracking_uri` (None: as MLflow is set up), `experiment_name` (None: the folder of
            the run directory), `run_name` and `tags`.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._client: Any = None
        self._run_id = ""

    def start(self, run: TrackedRun) -> int:
        """Begin a run, or go on with the one whose id is known."""
        client_class = importlib.import_module("mlflow.tracking").MlflowClient
        self._client = client_class(tracking_uri=self._options.get("tracking_uri"))
        if "run_id" in run.memory:
            self._run_id = run.memory["run_id"]
            self._client.update_run(self._run_id, status="RUNNING")
            for key, value in _tags(run).items():
                self._client.set_tag(self._run_id, key, value)
            return self._last_step()
        name = self._options.get("experiment_name") or run.project
        experiment = self._client.get_experiment_by_name(name)
        found = self._client.create_experiment(name) if experiment is None else None
        self._run_id = self._client.create_run(
            experiment.experiment_id if found is None else found,
            run_name=self._options.get("run_name") or run.name,
            tags={"group": run.group, **_tags(run), **self._options.get("tags", {})},
        ).info.run_id
        run.memory["run_id"] = self._run_id
        for key, value in run.parameters.items():
            self._client.log_param(self._run_id, _allowed(key), str(value)[:_MAX_PARAMETER])
        return -1

    def _last_step(self) -> int:
        """Ask for the newest step of each metric, since no row need have all of them."""
        metrics = self._client.get_run(self._run_id).data.metrics
        names = ["TotalTime"] if "TotalTime" in metrics else list(metrics)
        histories = (self._client.get_metric_history(self._run_id, name) for name in names)
        return max((point.step for history in histories for point in history), default=-1)

    def log(self, row: dict[str, float], step: int) -> None:
        """Add a row."""
        metric = importlib.import_module("mlflow.entities").Metric
        now = int(time.time() * 1000)
        points = [metric(_allowed(key), value, now, step) for key, value in row.items()]
        self._client.log_batch(self._run_id, points)

    def add(self, path: Path, kind: str) -> None:
        """Add a file to the folder of its kind, or a folder there."""
        if path.is_dir():
            self._client.log_artifacts(self._run_id, str(path), f"{kind}/{path.name}")
        else:
            self._client.log_artifact(self._run_id, str(path), kind)

    def finish(self, failed: bool) -> None:
        """Say how the session ended."""
        self._client.set_terminated(self._run_id, "FAILED" if failed else "FINISHED")


def _tags(run: TrackedRun) -> dict[str, str]:
    """Return the commit where MLflow shows it, and the run's tags, of which MLflow asks values."""
    commit = {"mlflow.source.git.commit": run.commit} if run.commit else {}
    return {**commit, **dict.fromkeys(filter(None, map(_allowed, run.tags)), "true")}


def _allowed(name: str) -> str:
    return re.sub(r"[^\w\-. :/]", "", name)
