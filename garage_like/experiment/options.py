"""RunOptions: what `wrap_experiment` can be told, checked before anything is written."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from garage_like.configuration.plain_numbers import as_plain
from garage_like.configuration.shown_options import show_fields
from garage_like.experiment.context import ExperimentContext
from garage_like.experiment.parameters import MAX_NAME_BYTES
from garage_like.logging.trackers.choice import check_trackers
from garage_like.snapshot.config import SnapshotOptions
from garage_like.snapshot.imposed import with_imposed


@show_fields
@dataclass(frozen=True, kw_only=True)
class RunOptions(SnapshotOptions):
    """Say where a run goes and what is recorded.

    Attributes:
        log_dir: the run directory; None: `data/local/<prefix>/<name>` in the current directory.
        prefix: folder of related runs.
        name: name of the run; None: that of the function.
        archive_launch_repo: whether the launcher's git repository is archived.
        name_parameters: append parameters to the name: `'passed'` those that were passed, `'all'`
            also those left at their defaults, None none.
        use_existing_dir: use the directory though it exists, instead of one with a number.
        x_axis: key of the logged table that is TensorBoard's step.
        console: whether logs are printed too.
        log_steps: whether each step of an epoch is logged as it begins, not rows alone.
        trackers: experiment trackers that mirror the run: `'wandb'`, `'trackio'`, `'mlflow'`, or
            several; with options, `{'wandb': {'project': 'cartpole'}}`.

    Raises:
        TypeError: if a value has the wrong type.
        ValueError: if a value is not among those allowed.
    """

    log_dir: str | os.PathLike[str] | None = None
    prefix: str = "experiment"
    name: str | None = None
    archive_launch_repo: bool = True
    name_parameters: Literal["passed", "all"] | None = None
    use_existing_dir: bool = False
    x_axis: str = "TotalEnvSteps"
    console: bool = True
    log_steps: bool = True
    trackers: str | Sequence[str] | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.log_dir is not None and not isinstance(self.log_dir, str | os.PathLike):
            raise TypeError(f"wrap_experiment: log_dir must be a path, got {self.log_dir!r}")
        if self.log_dir is not None and not os.fspath(self.log_dir):
            raise ValueError("wrap_experiment: log_dir is empty; give a path, or leave it out")
        self._check_relative("prefix", self.prefix)
        if self.name is not None:
            self._check_relative("name", self.name)
            if not self.name:
                raise ValueError("wrap_experiment: name is empty; give one, or leave it out")
        if self.name_parameters not in (None, "passed", "all"):
            raise ValueError(
                "wrap_experiment: name_parameters must be None, 'passed' or 'all';"
                f" got {self.name_parameters!r}"
            )
        if not isinstance(self.x_axis, str) or not self.x_axis:
            raise TypeError(
                f"wrap_experiment: x_axis must be a key of the log's table, got {self.x_axis!r}"
            )
        for option in ("archive_launch_repo", "use_existing_dir", "console", "log_steps"):
            if not isinstance(getattr(self, option), bool):
                raise TypeError(
                    f"wrap_experiment: {option} must be True or False,"
                    f" got {getattr(self, option)!r}"
                )
        object.__setattr__(self, "trackers", check_trackers(self.trackers))

    @staticmethod
    def _check_relative(option: str, value: Any) -> None:
        if not isinstance(value, str):
            raise TypeError(f"wrap_experiment: {option} must be a string, got {value!r}")
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or re.search(r"[\x00-\x1f]", value):
            raise ValueError(
                f"wrap_experiment: {option} must stay below data/local, got {value!r};"
                " use log_dir for a directory elsewhere"
            )
        if any(len(part.encode()) > MAX_NAME_BYTES for part in path.parts):
            raise ValueError(
                f"wrap_experiment: {option} must have at most {MAX_NAME_BYTES} bytes, got {value!r}"
            )

    @classmethod
    def of(cls, *layers: Mapping[str, Any]) -> RunOptions:
        """Build options from mappings of names to values, the later ones over the earlier.

        Raises:
            TypeError: if there is no option of such a name, with the name that is nearest.
        """
        known = {f.name for f in fields(cls)}
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update(layer)
        merged = {name: as_plain(value) for name, value in with_imposed(merged).items()}
        for name in merged:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                hint = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else f"there are {', '.join(sorted(known))}"
                )
                raise TypeError(f"wrap_experiment: no option is called {name!r}; {hint}")
        return cls(**merged)

    def context(self, run_dir: Path) -> ExperimentContext:
        """Return what the experiment is handed."""
        options = {name: getattr(self, name) for name in self.option_names()}
        return ExperimentContext(snapshot_dir=str(run_dir), **options)

    def recorded(self) -> dict[str, Any]:
        """Return all options by their names."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
