"""RunOptions: what `wrap_experiment` can be told, checked before anything is written."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from garage_like.configuration.plain_numbers import as_plain
from garage_like.experiment.context import ExperimentContext
from garage_like.experiment.parameters import MAX_NAME_BYTES
from garage_like.logging.trackers.choice import check_trackers
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.imposed import imposed


@dataclass(frozen=True, kw_only=True)
class RunOptions:
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
        log_steps: whether each step of an epoch is logged as it begins.
        trackers: experiment trackers that mirror the run: names, or options by name.
        snapshot: options of `SnapshotConfig`.

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
    trackers: Any = None
    snapshot: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every value."""
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
        SnapshotConfig(snapshot_dir=".", **self.snapshot)

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
        own = {f.name for f in fields(cls)} - {"snapshot"}
        snapshot = set(SnapshotConfig.option_names())
        merged: dict[str, Any] = {}
        for layer in (*layers, imposed()):
            merged.update({name: as_plain(value) for name, value in layer.items()})
        for name in merged:
            if name not in own | snapshot:
                near = difflib.get_close_matches(str(name), own | snapshot, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "there are"
                known = "" if near else " " + ", ".join(sorted(own | snapshot))
                raise TypeError(f"wrap_experiment: no option is called {name!r}; {hint}{known}")
        return cls(
            **{name: value for name, value in merged.items() if name in own},
            snapshot={name: value for name, value in merged.items() if name in snapshot},
        )

    @property
    def auto_resume(self) -> bool:
        """Whether a run that is found in the directory is continued."""
        return bool(self.snapshot.get("auto_resume", False))

    def context(self, run_dir: Path) -> ExperimentContext:
        """Return what the experiment is handed."""
        return ExperimentContext(snapshot_dir=str(run_dir), **self.snapshot)

    def recorded(self) -> dict[str, Any]:
        """Return all options by their names."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "snapshot"}
        config = SnapshotConfig(snapshot_dir=".", **self.snapshot)
        return own | {name: getattr(config, name) for name in config.option_names()}
