"""Choosing a snapshot: what 'first', 'last', 'best' and an epoch mean, for whoever asks.

Which is best is told by the run: by its `experiment.json`, or where there is none by its newest
manifest that says so. So a `restore`, a `load_policy` and a `garage-like pin` mean the same one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from garage_like.errors import SnapshotCorruptError, SnapshotError, SnapshotNotFoundError
from garage_like.files.run_files import EXPERIMENT, read_json
from garage_like.logging.notices import warn
from garage_like.snapshot.best_rule import BestRule
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.finding import resolve
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.mirror.reading import here

FromEpoch = int | Literal["first", "last", "best"]
WORDS = ("first", "last", "best")


def check_from_epoch(from_epoch: Any) -> None:
    """Raise ValueError unless this is an epoch, 'first', 'last' or 'best'."""
    if isinstance(from_epoch, int) and not isinstance(from_epoch, bool) and from_epoch >= 0:
        return
    if from_epoch not in WORDS:
        raise ValueError(
            f"from_epoch must be an epoch, 'first', 'last' or 'best'; got {from_epoch!r}"
        )


def snapshot_path(path: str | os.PathLike[str], which: FromEpoch = "last") -> Path:
    """Find a snapshot's directory without reading more than manifests.

    Raises:
        SnapshotNotFoundError: if there is none, or not that epoch, or none that could be best.
        ValueError: if `which` is something else.
    """
    return meant_by(path, which)[0]


def meant_by(
    path: str | os.PathLike[str], which: FromEpoch = "last", unrecorded: BestRule | None = None
) -> list[Path]:
    """Find the snapshot that is meant, and for `'last'` those before it, in case it is damaged.

    Args:
        path: a run directory, its `snapshots/`, one snapshot, or the URL of a mirror.
        which: `'last'`, `'first'`, `'best'` or an epoch.
        unrecorded: what `'best'` is judged by if the run does not say.

    Raises:
        SnapshotNotFoundError: as in `snapshot_path`.
        ValueError: as in `snapshot_path`.
    """
    check_from_epoch(which)
    store, epochs, alone = resolve(here(path, which))
    if alone is not None:
        _check_epoch(alone, which)
        return [alone]
    if which == "last":
        return [store.path(epoch) for epoch in reversed(epochs)]
    if which == "first":
        return [store.path(epochs[0])]
    if which == "best":
        return [store.path(_best(store, epochs, unrecorded))]
    if which not in epochs:
        raise SnapshotNotFoundError(
            f"{store.dir}: no snapshot of epoch {which}; there are {_ranges(epochs)}"
        )
    return [store.path(which)]


def best_rule_of(store: SnapshotStore, unrecorded: BestRule | None = None) -> BestRule:
    """Return what the snapshots of a run are judged by.

    Args:
        store: the run's.
        unrecorded: what counts if the run does not say, as older ones do not.
    """
    options = read_json(store.dir.parent / EXPERIMENT).get("options")
    rule = BestRule.recorded_in(options, "best_metric", "best_mode")
    for epoch in reversed(store.epochs()) if rule is None else ():
        try:
            rule = BestRule.recorded_in(store.manifest(epoch, ("epoch", "judged_by")).judged_by)
        except SnapshotError:
            continue
        break
    return rule or unrecorded or BestRule()


def _best(store: SnapshotStore, epochs: list[int], unrecorded: BestRule | None) -> int:
    rule = best_rule_of(store, unrecorded)
    judged: list[tuple[float, int]] = []
    for epoch in epochs:
        try:
            rank = rule.rank(store.manifest(epoch, ("epoch", "metrics")).metric(rule.metric))
        except SnapshotCorruptError as error:
            if layout.identity(store.path(epoch)) is not None:
                warn(f"snapshot of epoch {epoch} is passed over: {error}", stacklevel=5)
            continue
        if rank is not None:
            judged.append((rank, -epoch))
    if not judged:
        raise SnapshotNotFoundError(
            f"{store.dir}: no snapshot has metric {rule.metric!r}, which 'best' is judged by"
        )
    return -max(judged)[1]


def _check_epoch(snapshot: Path, which: FromEpoch) -> None:
    """Raise if one snapshot was given, and another epoch asked for."""
    if not isinstance(which, int):
        return
    epoch = Manifest.read(snapshot, ("epoch",)).epoch
    if epoch != which:
        raise SnapshotNotFoundError(
            f"{snapshot}: no snapshot of epoch {which}; it is one snapshot, of epoch {epoch}"
        )


def _ranges(epochs: list[int]) -> str:
    if len(epochs) <= 8:
        return ", ".join(map(str, epochs))
    return f"{len(epochs)} of them, from {epochs[0]} to {epochs[-1]}"
