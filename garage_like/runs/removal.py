"""Removal: old snapshots of a run go, or the run with all it has.

The rules by which snapshots go are those of training (`snapshot.schedule`). A run that somebody is
writing to is left alone. Nothing is unpickled.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotError, SnapshotNotFoundError
from garage_like.files.run_files import EXPERIMENT
from garage_like.runs.disk_use import DiskUse
from garage_like.runs.walking import find_runs
from garage_like.snapshot.choosing import best_rule_of
from garage_like.snapshot.config import SnapshotConfig
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS, refuse_link
from garage_like.snapshot.disk.lock import RunLock
from garage_like.snapshot.disk.pins import pinned_of
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.schedule import KEPT_BY, Kept, to_remove


@dataclass(frozen=True)
class Removal:
    """What goes, or would go.

    Attributes:
        run: the run directory.
        removed: epochs of the snapshots that go.
        kept: epochs of those that stay.
        pinned: epochs that stay since they are pinned.
        bytes: what is freed; a file that something else still needs frees nothing.
    """

    run: str
    removed: list[int]
    kept: list[int]
    pinned: list[int]
    bytes: int


def prune_run(
    run: Path,
    *,
    keep_last: int | None = None,
    keep_best: int | None = None,
    keep_period: int | None = None,
    dry_run: bool = False,
) -> Removal:
    """Remove old snapshots by the rules that training itself prunes by.

    The last, the two newest that verify, the best and the pinned always stay.

    Args:
        run: a run directory.
        keep_last: keep so many of the newest.
        keep_best: keep so many of the best, judged as the run was told to.
        keep_period: keep every so-many-th epoch. With none of these, the run's own rules count.
        dry_run: only say what would go.

    Raises:
        ValueError: if this is no run directory.
        SnapshotNotFoundError: if there is no snapshot.
        RunLockedError: if a process is training there.
    """
    check_is_run(run)
    refuse_link(run / SNAPSHOTS)
    config = _rules(run, keep_last, keep_best, keep_period)
    with _ours_to_change(run, dry_run):
        store = SnapshotStore.of_run(run)
        epochs = store.epochs()
        if not epochs:
            raise SnapshotNotFoundError(
                f"{run}: no snapshot found there, so there is none to prune"
            )
        pinned = set(pinned_of(store.dir, epochs))
        doomed = to_remove(
            config, list(_kept(store, epochs, config)), pinned.__contains__, store.is_good
        )
        freed = DiskUse()
        freed.add(str(store.path(epoch)) for epoch in doomed)
        if not dry_run:
            doomed = list(store.remove(doomed))
    stay = sorted({*epochs} - {*doomed})
    return Removal(str(run), doomed, stay, sorted(pinned), freed.freed)


def remove_run(run: Path, *, dry_run: bool = False) -> Removal:
    """Remove a run directory with all that is in it.

    Args:
        run: a run directory.
        dry_run: only say what would go.

    Raises:
        ValueError: if it is none, is a link, or holds other runs.
        RunLockedError: if a process is training there.
    """
    check_is_run(run)
    inside = [other for other in find_runs(run) if other != run]
    if inside:
        raise ValueError(f"{run}: holds other runs, {inside[0]} among them; remove those first")
    store = SnapshotStore.of_run(run)
    with _ours_to_change(run, dry_run):
        freed = DiskUse()
        freed.add([str(run)])
        epochs = store.epochs()
        found = Removal(str(run), epochs, [], [*pinned_of(store.dir, epochs)], freed.freed)
        if not dry_run:
            doomed = run.with_name(f".removed-{run.name}-{uuid.uuid4().hex[:8]}")
            os.rename(run, doomed)
    if not dry_run:
        shutil.rmtree(doomed)
    return found


def check_is_run(run: Path) -> None:
    """Raise ValueError unless a path is a run directory itself."""
    if run.is_symlink():
        raise ValueError(f"{run}: a link to {os.readlink(run)}; give the run directory itself")
    if not run.exists():
        raise ValueError(f"{run}: no such directory; expected a run directory")
    is_run = (run / EXPERIMENT).is_file() or (run / SNAPSHOTS).is_dir()
    if not is_run or (run / MANIFEST).exists():
        raise ValueError(f"{run}: expected a run directory, with {EXPERIMENT} or {SNAPSHOTS}/")


@contextmanager
def _ours_to_change(run: Path, dry_run: bool) -> Iterator[None]:
    """Hold the run against those who write to it; a dry run only looks."""
    if dry_run or not run.is_dir():
        yield
        return
    lock = RunLock(run)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _rules(
    run: Path, keep_last: int | None, keep_best: int | None, keep_period: int | None
) -> SnapshotConfig:
    rule = best_rule_of(SnapshotStore.of_run(run))
    best: dict[str, Any] = {"best_metric": rule.metric, "best_mode": rule.mode}
    given = {"max_to_keep": keep_last, "keep_best": keep_best, "keep_period": keep_period}
    if any(value is not None for value in given.values()):
        rules: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        return SnapshotConfig(snapshot_dir=run, **best, **rules)
    return replace(SnapshotConfig.recorded(run, snapshot_mode="all"), **best)


def _kept(store: SnapshotStore, epochs: Iterable[int], config: SnapshotConfig) -> Iterator[Kept]:
    for epoch in epochs:
        try:
            manifest = store.manifest(epoch, KEPT_BY)
        except SnapshotError:
            continue  # what cannot be read is never pruned
        yield Kept(epoch, manifest.metric(config.best_metric), manifest.on_gap)
