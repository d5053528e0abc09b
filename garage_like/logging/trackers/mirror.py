"""Mirror: a tracker is told each row of the log once, at steps that always rise.

Files: `trackers.json`, what each tracker needs to go on with its run (its id, say), and which files
it was handed.
"""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from garage_like.files import run_files
from garage_like.files.run_files import METADATA, NOTES, VARIANT, VIDEOS, read_json
from garage_like.logging.hyperparameters import flat
from garage_like.logging.light_imports import LogOutput, TabularInput
from garage_like.logging.log_files import replace_content
from garage_like.logging.notices import warn
from garage_like.logging.trackers.choice import TRACKERS


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told of a run.

    Attributes:
        directory: the run directory.
        parameters: of the experiment, in one level.
        last_step: of the newest row in the run directory; -1 if there is none.
        memory: what the tracker wrote here in an earlier session of the run; to be changed.
        commit: of the launcher's git repository, or None.
        tags: that people gave the run.
    """

    directory: Path
    parameters: dict[str, Any]
    last_step: int = -1
    memory: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The run directory's own name."""
        return self.directory.name

    @property
    def group(self) -> str:
        """The name without the number that a clash appended: that of the experiment."""
        stem, _, number = self.name.rpartition("_")
        return stem if stem and number.isdecimal() else self.name

    def config(self, given: Any) -> Any:
        """Return parameters, commit, and what a user adds to them, who has the last word."""
        own = {**self.parameters, **({"git_commit": self.commit} if self.commit else {})}
        if given is None:
            return own
        return {**own, **given} if isinstance(given, Mapping) else given

    def all_tags(self, given: Any) -> list[str]:
        """Return the tags that options name, and the run's."""
        return list(dict.fromkeys([*(given or ()), *self.tags]))

    @property
    def project(self) -> str:
        """The folder of related runs."""
        return self.directory.parent.name or "garage_like"


def artifact_name(run_name: str, kind: str) -> str:
    """Return a name that every tracker allows."""
    return re.sub(r"[^\w.-]", "_", f"{run_name}-{kind}")


class Tracker(Protocol):
    """Tell a tracking library of a run."""

    def start(self, run: TrackedRun) -> int:
        """Begin a run, or go on with it; return the last step that it holds already, or -1."""

    def log(self, row: dict[str, float], step: int) -> None:
        """Add the numbers of a row."""

    def add(self, path: Path, kind: str) -> None:
        """Add a file or a folder of the run directory as an artifact of a kind."""

    def finish(self, failed: bool) -> None:
        """End this session of the run."""


def make_tracker(name: str, options: Mapping[str, Any]) -> Tracker:
    """Import a tracker's library, and return the tracker."""
    module, class_name = TRACKERS[name]
    tracker: Tracker = getattr(importlib.import_module(module), class_name)(dict(options))
    return tracker


class RisingSteps:
    """Number rows by a column if that rises, by one more than the row before if not.

    Args:
        x_axis: name of the column.
    """

    def __init__(self, x_axis: str | None) -> None:
        self._x_axis = x_axis
        self.last = -1

    def next(self, row: Mapping[str, Any]) -> int:
        """Return the step of the next row."""
        value = row.get(self._x_axis or "")
        is_number = isinstance(value, int | float | np.number) and math.isfinite(value)
        self.last = max(self.last + 1, int(value) if is_number else 0)  # type: ignore[arg-type]
        return self.last


class Mirror(LogOutput):
    """Hand the rows of a run to one tracker; what goes wrong there is a warning.

    Args:
        name: of the tracker.
        options: what it is called with.
        x_axis: column of the log that is the step.
        make: makes the tracker from both.

    Attributes:
        has_begun: whether `open` was called.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        x_axis: str | None,
        make: Callable[[str, Mapping[str, Any]], Tracker] = make_tracker,
    ) -> None:
        self._name, self._make = name, make
        self._steps = RisingSteps(x_axis)
        self._tracker: Tracker | None = None
        self._options = dict(options)
        self._with_snapshots = bool(self._options.pop("snapshots", False))
        self._held = -1
        self._beside: dict[str, float] = {}
        self._directory = Path()
        self._memory: dict[str, Any] = {}
        self.has_begun = False

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Tables."""
        return (TabularInput,)

    def open(self, directory: Path, rows: Iterable[Mapping[str, Any]]) -> None:
        """Begin, or go on with, the tracker's run, and hand it the rows that it does not hold.

        Args:
            directory: the run directory.
            rows: all rows of the log so far.
        """
        self.has_begun = True
        rows = list(rows)
        steps = self.follow(rows)
        self._directory = directory
        self._memory = dict(self._memories().get(self._name) or {})
        run = TrackedRun(
            directory,
            flat(read_json(directory / VARIANT)),
            self._steps.last,
            self._memory,
            read_json(directory / METADATA).get("git_commit"),
            _tags(read_json(directory / NOTES)),
        )
        try:
            tracker = self._make(self._name, self._options)
            self._held = tracker.start(run)
        except Exception as error:
            self._give_up(error)
            return
        self._tracker = tracker
        self._remember()
        for row, step in zip(rows, steps, strict=True):
            self._send(row, step)
        self._add_videos()

    def _memories(self) -> dict[str, Any]:
        return read_json(self._directory / run_files.TRACKERS)

    def _remember(self) -> None:
        text = json.dumps({**self._memories(), self._name: self._memory}, indent=2) + "\n"
        replace_content(self._directory / run_files.TRACKERS, text.encode())

    def follow(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Go on after these rows, which are all that the log holds; return their steps."""
        self._steps.last = -1
        return [self._steps.next(row) for row in rows]

    def record(self, data: Any, prefix: str = "") -> None:
        """Hand a row on."""
        values = data.as_primitive_dict
        if values:
            self._send(values, self._steps.next(values))
        self._add_videos()

    def add_beside(self, tag: str, value: float) -> None:
        """Hand a number that is in no row on with the next one."""
        self._beside[tag] = value

    def _send(self, row: Mapping[str, Any], step: int) -> None:
        if self._tracker is None or step <= self._held:
            return
        row, self._beside = {**self._beside, **row}, {}
        numbers = {
            key: math.nan if value is None else float(value)
            for key, value in row.items()
            if value is None or isinstance(value, bool | int | float | np.number | np.bool_)
        }
        try:
            self._tracker.log(numbers, step)
            self._held = step
        except Exception as error:
            self._give_up(error)

    def _send_rest(self) -> None:
        """Hand on numbers that came after the last row, at its step: a resume goes on after it."""
        if self._beside and self._tracker is not None:
            numbers, self._beside = self._beside, {}
            try:
                self._tracker.log(numbers, max(self._steps.last, 0))
            except Exception as error:
                self._give_up(error)

    def _add_videos(self) -> None:
        found = (self._directory / VIDEOS).glob("epoch_*.mp4")
        for path in sorted(found, key=lambda path: (len(path.name), path.name)):  # by number
            self._add(path, "video")

    def _add_snapshot(self) -> None:
        """Hand the newest snapshot on, if that is asked for."""
        found = (self._directory / "snapshots").glob("epoch_*/manifest.json")
        names = [path.parent.name for path in found if _is_epoch(path.parent)]
        newest = max(names, key=lambda name: (len(name), name), default=None)  # by number
        if self._with_snapshots and newest is not None:
            self._add(self._directory / "snapshots" / newest, "snapshot")

    def _add(self, path: Path, kind: str) -> None:
        """Hand a file or folder on, once in the life of a run."""
        name = path.relative_to(self._directory).as_posix()
        if self._tracker is None or name in self._memory.get("added", ()):
            return
        try:
            self._tracker.add(path, kind)
            self._memory["added"] = [*self._memory.get("added", ()), name]
            self._remember()
        except Exception as error:
            self._give_up(error)

    def dump(self, step: int | None = None) -> None:
        """Do nothing: every row was handed on."""

    def close(self, failed: bool = False) -> None:
        """Hand on what the session left, and end it."""
        if self._tracker is not None:
            self._send_rest()
            self._add_videos()
            self._add_snapshot()
        tracker, self._tracker = self._tracker, None
        if tracker is None:
            return
        try:
            tracker.finish(failed)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._tracker = None
        warn(
            f"{self._name} gets no more rows in this session, training goes on; the run directory"
            f" has them all, and a resume hands them on: {type(error).__name__}: {error}",
            stacklevel=3,
        )


def _tags(notes: Mapping[str, Any]) -> tuple[str, ...]:
    tags = notes.get("tags")
    return tuple(tag for tag in (tags if isinstance(tags, list) else ()) if isinstance(tag, str))


def _is_epoch(snapshot: Path) -> bool:
    return snapshot.name.removeprefix("epoch_").isdecimal()
