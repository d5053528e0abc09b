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

from garage_like.snapshot.disk.layout import SNAPSHOTS
from garage_like.snapshot.disk.run_files import EXPERIMENT, METADATA, VARIANT, read_json
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.loading import FromEpoch, load_snapshot, run_dir_of


def branch_run(path: Path, from_epoch: FromEpoch, target: Path) -> Path:
    """Make a new run that begins with a snapshot of another; `garage-like resume` goes on with it.

    The snapshot is copied, so that the new run depends on nothing. Its log begins with the next
    epoch.

    Args:
        path: a run directory, or one snapshot.
        from_epoch: which snapshot.
        target: the new run directory.

    Returns:
        The new snapshot.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot.
        SnapshotCorruptError: if it does not verify.
        FileExistsError: if something is at `target` already.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target}: expected a new or an empty directory")
    loaded = load_snapshot(path, from_epoch, **judged_by(path))
    origin = run_dir_of(loaded.path)
    parent = {"run": str((origin or loaded.path).resolve()), "epoch": loaded.manifest.epoch}
    was_there = target.exists()
    target.mkdir(parents=True, exist_ok=True)
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


def branch_target(run: Path, epoch: int, name: str | None) -> Path:
    """Return where a branch goes: beside its parent, unless the name is a path of its own."""
    beside = run.absolute()
    if name is not None:
        return Path(name) if os.sep in name else beside.with_name(name)
    stem = f"{beside.name}_from_{epoch}"
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(1)))
    return next(path for path in map(beside.with_name, names) if not path.exists())


def _copy_descriptions(origin: Path | None, target: Path, parent: dict[str, Any]) -> None:
    known = {} if origin is None else read_json(origin / EXPERIMENT)
    for name in (VARIANT, METADATA):
        if origin is not None and (origin / name).is_file():
            shutil.copyfile(origin / name, target / name)
    text = json.dumps({**known, "parent": parent}, indent=2) + "\n"
    (target / EXPERIMENT).write_text(text)


def judged_by(path: Path) -> dict[str, Any]:
    """Return how a run tells which of its snapshots is best, as far as it says."""
    options = read_json((path.parent if path.name == SNAPSHOTS else path) / EXPERIMENT).get(
        "options", {}
    )
    return {key: options[key] for key in ("best_metric", "best_mode") if key in options}
