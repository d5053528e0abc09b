"""All that is known of a run without running its code, as plain JSON values.

Reads: `experiment.json`, `variant.json`, `notes.json`, every `manifest.json`; else sizes.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotError
from garage_like.files.run_files import EXPERIMENT, VARIANT, read_json
from garage_like.runs.disk_use import bytes_on_disk
from garage_like.runs.notes import Notes, read_notes
from garage_like.runs.overview import environment_name, newest_manifest
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.loading import run_dir_of
from garage_like.snapshot.reader import list_snapshots, summary_of

OF_MANIFEST = (
    "epoch",
    "itr",
    "total_env_steps",
    "train_seconds",
    "created",
    "seed",
    "exact",
    "reasons",
    "env_state",
    "train_args",
    "classes",
    "configuration",
    "normalizers",
    "metrics",
    "fingerprint",
    "parent",
    "changes",
)


def report(path: Path, ends: tuple[int, int] | None = None) -> dict[str, Any]:
    """Describe a run, or one snapshot.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.
        ends: so many of the oldest and of the newest snapshots are described; None: all are.

    Raises:
        SnapshotNotFoundError: if the path is none of these.
    """
    run = _run_of(path)
    manifest: Manifest | None
    problems: list[str] = []
    if (path / MANIFEST).is_file():
        manifest = Manifest.read(path)
    else:
        manifest, problems = newest_manifest(run or path)
    if manifest is None and not (run is not None and (run / EXPERIMENT).is_file()):
        list_snapshots(path)  # raises, and says what was found instead
    notes = Notes() if run is None else read_notes(run)
    return {
        "run": None if run is None else str(run),
        "experiment": {} if run is None else read_json(run / EXPERIMENT),
        "parameters": {} if run is None else read_json(run / VARIANT),
        "environment": None if manifest is None else environment_name(manifest),
        **{key: None if manifest is None else getattr(manifest, key) for key in OF_MANIFEST},
        "problems": problems,
        "tags": list(notes.tags),
        "note": notes.note,
        "snapshots": [] if manifest is None else list(snapshots(path, ends)),
        "bytes": bytes_on_disk(path if run is None else run),
        "files": {} if run is None else files_of(run),
        "resume": resume_command(path, run, manifest),
    }


def _run_of(path: Path) -> Path | None:
    """Return the run directory that a path belongs to; None for a snapshot that stands alone."""
    if (path / MANIFEST).is_file():
        return run_dir_of(path)
    return path.parent if path.name == SNAPSHOTS else path


def snapshots(path: Path, ends: tuple[int, int] | None = None) -> Iterator[dict[str, Any]]:
    """Summarise each snapshot that a path means, the oldest first.

    Args:
        path: as of `report`.
        ends: so many of the oldest and of the newest are read; between them stands `{"hidden": N}`
            if that leaves out more than one.
    """
    listed = list_snapshots(path)
    first, last = ends or (0, 0)
    hidden = len(listed) - first - last if ends else 0
    for number, snapshot in enumerate(listed):
        if hidden > 1 and first <= number < first + hidden:
            if number == first:
                yield {"hidden": hidden}
            continue
        try:
            yield summary_of(snapshot)
        except SnapshotError as error:
            if snapshot.exists():  # a run that is being trained may just have removed it
                yield {"path": str(snapshot), "problem": str(error)}


def files_of(run: Path) -> dict[str, int]:
    """Return the size in bytes of each file right in a run directory, hidden ones left out."""
    return {
        entry.name: entry.stat().st_size
        for entry in sorted(os.scandir(run), key=lambda entry: entry.name)
        if entry.is_file() and not entry.name.startswith(".")
    }


def resume_command(path: Path, run: Path | None, manifest: Manifest | None) -> str | None:
    """Return the command that goes on from here; None if there is nothing to go on from."""
    if manifest is None:
        return None
    words = ["garage-like", "resume", str(path if run is None else run)]
    if run is not None and (path / MANIFEST).is_file():
        words += ["--from-epoch", str(manifest.epoch)]
    if manifest.epoch + 1 >= (manifest.train_args.get("n_epochs") or 0):
        words += ["--additional-epochs", "10"]
    if run is None:
        words += ["--log-dir", "NEW"]
    return shlex.join(words)
