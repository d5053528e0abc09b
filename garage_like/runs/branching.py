"""Branching: a new run that begins with a snapshot of another.

Writes: a new run directory with copies of the JSON files of its parent (`experiment.json` gains
`parent`) and of one snapshot. Nothing is unpickled.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from garage_like.files.run_files import (
    EXPERIMENT,
    METADATA,
    SOURCES,
    VARIANT,
    copy_file,
    read_json,
)
from garage_like.logging.log_files import make_directory
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.loading import load_snapshot, run_dir_of


def branch_run(path: Path, from_epoch: FromEpoch, target: Path | str | None = None) -> Path:
    """Make a new run that begins with a snapshot of another; `garage-like resume` goes on with it.

    The snapshot is copied, so that the new run depends on nothing. Its log begins with the next
    epoch.

    Args:
        path: a run directory, or one snapshot.
        from_epoch: which snapshot.
        target: the new run directory; as text, its name beside the run if it is no path; None: a
            name that says which epoch the branch begins with.

    Returns:
        The new snapshot.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot.
        SnapshotCorruptError: if it does not verify.
        FileExistsError: if something is at `target` already.
    """
    if isinstance(target, Path):
        _check_is_free(target)
    loaded = load_snapshot(path, from_epoch)
    origin = run_dir_of(loaded.path)
    if not isinstance(target, Path):
        target = _branch_target(origin or path, loaded.manifest.epoch, target)
        _check_is_free(target)
    parent = {"run": str((origin or loaded.path).resolve()), "epoch": loaded.manifest.epoch}
    was_there = target.exists()
    make_directory(target)
    try:
        store = SnapshotStore.of_run(target)
        store.open()
        manifest = replace(loaded.manifest, parent=parent, logs={})
        made = store.commit(manifest, {name: [content] for name, content in loaded.files.items()})
        _copy_descriptions(origin, target, parent)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        if was_there:
            target.mkdir()
        raise
    return made


def _check_is_free(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target}: expected a new or an empty directory")


def _branch_target(run: Path, epoch: int, name: str | None) -> Path:
    """Return where a branch goes: beside its parent, unless the name is a path of its own."""
    beside = run.absolute()
    if name is not None:
        return Path(name) if os.sep in name or not Path(name).name else beside.with_name(name)
    stem = f"{beside.name}_from_{epoch}"
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(1)))
    return next(path for path in map(beside.with_name, names) if not path.exists())


def _copy_descriptions(origin: Path | None, target: Path, parent: dict[str, Any]) -> None:
    known = {} if origin is None else read_json(origin / EXPERIMENT)
    if origin is not None:
        for name in (VARIANT, METADATA, SOURCES):
            copy_file(origin / name, target / name)
    text = json.dumps({**known, "parent": parent}, indent=2) + "\n"
    (target / EXPERIMENT).write_text(text)
