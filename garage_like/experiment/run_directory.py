"""The run directory: its name, how it is made or used again, and what it says of the run.

Files: `variant.json` (the parameters), `metadata.json` (how it was started), `experiment.json` (the
function, its options, where its modules are) and `launch_archive.tar.xz`. `experiment.json` comes
last, so a directory without it was killed while it was set up. Each file is there whole or not at
all; one that is replaced is kept as `<name>.orphan-N`.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotMismatchError
from garage_like.experiment.options import RunOptions
from garage_like.experiment.parameters import differences, name_with
from garage_like.files.run_files import (
    EXPERIMENT,
    LAUNCH_ARCHIVE,
    METADATA,
    VARIANT,
    find_json,
    read_json,
)
from garage_like.logging.log_files import make_directory, record_json
from garage_like.snapshot.disk.layout import SNAPSHOTS
from garage_like.snapshot.disk.lock import RunLock
from garage_like.snapshot.mirror.fetching import fetch_what_is_lost
from garage_like.trainer.launcher import Launcher


@dataclass(frozen=True)
class RunRecord:
    """What a run directory says of its run.

    Attributes:
        function: name of the experiment function.
        module: where it is defined.
        variant: its parameters, as `to_json` returns them.
        options: what `wrap_experiment` was told.
        seed: the run's, as far as it is known before the run, or None.
    """

    function: str
    module: str
    variant: dict[str, Any]
    options: RunOptions
    seed: int | None

    def recorded_options(self) -> dict[str, Any]:
        """Return all options, paths as texts."""
        return {
            key: os.fspath(value) if isinstance(value, os.PathLike) else value
            for key, value in self.options.recorded().items()
        }

    def experiment(self, launcher: Launcher, earlier_paths: list[str]) -> dict[str, Any]:
        """Return the content of experiment.json."""
        return {
            "function": self.function,
            "module": self.module,
            "options": self.recorded_options(),
            "seed": self.seed,
            "launcher": None if launcher.path is None else str(launcher.path),
            "launcher_dir": str(launcher.directory),
            "cwd": os.getcwd(),
            "module_paths": list(dict.fromkeys([*launcher.module_paths(), *earlier_paths])),
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }


def wanted_directory(record: RunRecord, in_name: Mapping[str, Any]) -> Path:
    """Return the directory that a run should get, before a number is appended.

    Args:
        record: the run.
        in_name: the parameters that are to be part of the name.
    """
    options = record.options
    if options.log_dir is not None:
        return Path(os.path.abspath(os.path.expanduser(os.fspath(options.log_dir))))
    path = Path.cwd() / "data" / "local" / options.prefix / (options.name or record.function)
    return path.with_name(name_with(path.name, in_name))


def prepare(record: RunRecord, in_name: Mapping[str, Any]) -> Path:
    """Make the run directory, or use one again, and write down what the run is.

    Raises:
        SnapshotMismatchError: if a run is to be continued that is another experiment, or has other
            parameters.
        RunLockedError: if a directory is to be used in which another process is writing.
    """
    wanted = wanted_directory(record, in_name)
    if not (record.options.auto_resume or record.options.use_existing_dir):
        directory = _make_new(wanted)
        _write(directory, record)
        return directory
    make_directory(wanted)
    lock = RunLock(wanted)
    lock.acquire()
    try:
        fetch_what_is_lost(record.options.context(wanted))
        if not _is_recorded(wanted, record):
            _write(wanted, record)
    finally:
        lock.release()
    return wanted


def _make_new(wanted: Path) -> Path:
    """Make a directory that was not there; `_1`, `_2` … is appended to the name on a clash."""
    make_directory(wanted.parent)
    for number in itertools.count():
        directory = wanted if number == 0 else wanted.with_name(f"{wanted.name}_{number}")
        try:
            directory.mkdir()
        except FileExistsError:
            continue
        return directory
    raise AssertionError("unreachable")


def _is_recorded(directory: Path, record: RunRecord) -> bool:
    """Tell whether a directory says already what it should; if it must but does not, raise."""
    experiment = find_json(directory / EXPERIMENT)
    variant = find_json(directory / VARIANT)
    same_function = experiment is not None and experiment.get("function") == record.function
    changed = [] if variant is None else differences(variant, record.variant)
    if record.options.auto_resume:
        if experiment is not None and not same_function:
            raise SnapshotMismatchError(
                f"auto_resume: {directory} holds a run of {experiment.get('function')!r}, and not"
                f" of {record.function!r}; choose another name, or remove it"
            )
        keeps = record.options.context(directory).config_policy == "error"
        if changed and keeps and (experiment is not None or (directory / SNAPSHOTS).exists()):
            raise SnapshotMismatchError(
                f"auto_resume: {directory} holds a run of {record.function!r} with other"
                f" parameters: {'; '.join(changed)}. To keep both, give each a directory of its own"
                " with name_parameters='passed' or another name; to start over, remove it"
            )
    options = (experiment or {}).get("options")
    same_options = options == json.loads(json.dumps(record.recorded_options()))
    return same_function and variant is not None and not changed and same_options


def _write(directory: Path, record: RunRecord) -> None:
    launcher = Launcher.find()
    earlier = read_json(directory / EXPERIMENT)
    paths = earlier.get("module_paths")
    earlier_paths = [str(path) for path in paths] if isinstance(paths, list) else []
    record_json(directory / VARIANT, record.variant)
    record_json(directory / METADATA, launcher.metadata())
    if record.options.archive_launch_repo:
        launcher.archive(directory / LAUNCH_ARCHIVE)
    record_json(directory / EXPERIMENT, record.experiment(launcher, earlier_paths))
