"""What a run is, told from its newest manifest and the JSON files beside it; nothing is unpickled.

Reads: `experiment.json`, `variant.json`, `configuration.json`, `notes.json`,
`snapshots/*/manifest.json`; of all else, the sizes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotError
from garage_like.files.run_files import CONFIGURATION, EXPERIMENT, VARIANT, read_json
from garage_like.runs.disk_use import bytes_on_disk
from garage_like.runs.notes import Notes, read_notes
from garage_like.runs.walking import FoundRun
from garage_like.snapshot.disk.layout import SNAPSHOTS, epoch_name, epochs_in
from garage_like.snapshot.disk.manifest import Manifest

RETURN = "Evaluation/AverageReturn"

_ATTRIBUTES = (
    "epoch",
    "total_env_steps",
    "created",
    "metrics",
    "exact",
    "env_state",
    "parent",
    "train_args",
    "classes",
    "changes",
)
"""What an overview takes from a manifest."""


@dataclass(frozen=True)
class Overview:
    """One run in a line.

    Attributes:
        run: its directory.
        algorithm: name of the algorithm's class, or None before training began.
        environment: name of the environment, or of its class.
        last_epoch: of the newest readable snapshot.
        n_epochs: epochs that the run has in total.
        total_env_steps: env steps up to the newest snapshot.
        last_return: average return in that epoch's row of the log.
        bytes: what the directory takes on the disk.
        updated: Unix time of the newest snapshot, or of the directory.
        exact: whether a resume is bit-identical.
        parameters: of the experiment.
        metrics: the newest snapshot's row of the log.
        problems: newest manifests that cannot be read, and why.
        parent: run and epoch that it began with, as is recorded; None if from nothing.
        changes: settings that it goes on with otherwise than it began, as manifests have them.
        tags: that people gave it.
        note: what they say of it, or ''.
    """

    run: str
    algorithm: str | None
    environment: str | None
    last_epoch: int | None
    n_epochs: int | None
    total_env_steps: int | None
    last_return: float | str | None
    bytes: int
    updated: float
    exact: bool | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    problems: list[str]
    parent: dict[str, Any] | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    note: str = ""


def overview(run: Path, seen: FoundRun | None = None) -> Overview:
    """Describe a run by its newest manifest that can be read.

    Args:
        run: its directory.
        seen: what a walk saw of it, if there was one.
    """
    manifest, problems = newest_manifest(run, seen, _ATTRIBUTES)
    begun = read_json(run / CONFIGURATION) if manifest is None else {}
    notes = Notes() if seen is not None and not seen.has_notes else read_notes(run)
    return Overview(
        run=str(run),
        algorithm=_text(begun, "algorithm") if manifest is None else class_name(manifest, "algo"),
        environment=_text(begun, "environment") if manifest is None else environment_name(manifest),
        last_epoch=None if manifest is None else manifest.epoch,
        n_epochs=None if manifest is None else manifest.train_args.get("n_epochs"),
        total_env_steps=None if manifest is None else manifest.total_env_steps,
        last_return=None if manifest is None else manifest.metrics.get(RETURN),
        bytes=bytes_on_disk(run) if seen is None else seen.bytes,
        updated=run.stat().st_mtime if manifest is None else manifest.created,
        exact=None if manifest is None else manifest.exact,
        parameters=read_json(f"{run}/{VARIANT}"),
        metrics={} if manifest is None else dict(manifest.metrics),
        problems=problems,
        parent=_known_parent(
            read_json(run / EXPERIMENT).get("parent") if manifest is None else manifest.parent
        ),
        changes=[] if manifest is None else list(manifest.changes),
        tags=list(notes.tags),
        note=notes.note,
    )


def _known_parent(recorded: Any) -> dict[str, Any] | None:
    known = isinstance(recorded, dict) and isinstance(recorded.get("run"), str)
    return recorded if known else None


def _text(content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    return value if isinstance(value, str) else None


def newest_manifest(
    run: Path, seen: FoundRun | None = None, only: Collection[str] = ()
) -> tuple[Manifest | None, list[str]]:
    """Return the newest manifest of a run that can be read, and what is wrong with newer ones.

    Args:
        run: its directory.
        seen: what a walk saw of it a moment ago, if there was one.
        only: attributes that are wanted, if not all; see `Manifest.from_bytes`.
    """
    problems: list[str] = []
    with contextlib.suppress(SnapshotError):
        if seen is not None and seen.newest_epoch is not None:
            return Manifest.read(f"{run}/{SNAPSHOTS}/{epoch_name(seen.newest_epoch)}", only), []
    for epoch in reversed(epochs_in(run / SNAPSHOTS)):
        snapshot = run / SNAPSHOTS / epoch_name(epoch)
        try:
            return Manifest.read(snapshot, only), problems
        except SnapshotError as error:
            if snapshot.exists():  # a run that is being trained may just have removed it
                problems.append(str(error))
    return None, problems


def class_name(manifest: Manifest, component: str) -> str | None:
    """Return the bare name of a component's class."""
    qualified = manifest.classes.get(component)
    return None if qualified is None else qualified.rpartition(".")[2]


def environment_name(manifest: Manifest) -> str | None:
    """Return the environment's name where the manifest has one, else that of its class."""
    return manifest.env_state.get("name") or class_name(manifest, "env")
