"""What two runs on the disk differ in, and the first epoch and the first part at which they part.

Reads `experiment.json`, `variant.json`, `progress.csv`, manifests and safetensors: nothing is
unpickled, and no framework is loaded. Numbers that objects keep as plain attributes are in the
pickle alone, so they are not compared.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from garage_like.audit.component_diff import PartDiff, differing_parts
from garage_like.audit.times import is_time
from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.files.log_table import open_table
from garage_like.files.run_files import EXPERIMENT, PROGRESS, VARIANT, read_json
from garage_like.snapshot.disk.finding import resolve
from garage_like.snapshot.disk.layout import parse_epoch
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.fingerprint import differences as fingerprint_differences
from garage_like.snapshot.loading import run_dir_of

PLACE_AND_NAME = ("name", "prefix", "log_dir", "name_parameters", "use_existing_dir", "console")
"""Options that say where a run is and what it is called, not what it computes."""


@dataclass(frozen=True)
class Change:
    """A named value that two runs differ in; None where a run has none of that name."""

    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class MetricDiff:
    """A column of the log, the first epoch in which two runs differ in it, and its two values."""

    column: str
    epoch: int
    a: str | None
    b: str | None


@dataclass(frozen=True)
class _Table:
    """The log of a run: names of its columns, and its rows by epoch."""

    columns: list[str]
    rows: Iterator[tuple[int, list[str]]]

    def place_of(self, column: str) -> int | None:
        return self.columns.index(column) if column in self.columns else None


@dataclass
class RunDiff:
    """What two runs differ in.

    Attributes:
        a: the first run.
        b: the second run.
        parameters: of the experiments.
        options: of the experiments, but for those of place and name.
        settings: that were changed in the course of a run, and from which epoch on.
        versions: and thread counts, flags and processors, a phrase each.
        num_rows: epochs whose rows were compared.
        metrics: columns that differ, the earliest first; times are left out.
        epochs: those whose snapshots were compared.
        epoch: the first whose snapshots differ, or None.
        parts: what differs in that epoch: generators, components and tables, in this order.
    """

    a: str
    b: str
    parameters: list[Change] = field(default_factory=list)
    options: list[Change] = field(default_factory=list)
    settings: list[Change] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    num_rows: int = 0
    metrics: list[MetricDiff] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    epoch: int | None = None
    parts: list[PartDiff] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing that was compared differs."""
        told = (self.parameters, self.options, self.settings, self.versions)
        return not any((*told, self.metrics, self.parts))

    @property
    def verdict(self) -> str:
        """Where they part, or what was compared and is equal."""
        epochs = len(self.epochs)
        plural = "" if epochs == 1 else "s"
        compared = f"{self.num_rows} rows and {epochs} snapshot{plural} compared"
        if self.equal:
            return f"Equal, bit for bit: {compared}"
        row = min((metric.epoch for metric in self.metrics), default=None)
        if self.epoch is not None and (row is None or self.epoch <= row):
            part = self.parts[0]
            where = f"{part.name}, {part.first}" if part.first else part.name
            return f"They part in epoch {self.epoch}, first in {part.kind} {where}"
        if row is None:
            return f"What they computed is equal: {compared}"
        return f"They part in epoch {row}, first in column {self.metrics[0].column}"


def diff_runs(a: Path, b: Path, epoch: int | None = None) -> RunDiff:
    """Compare two runs, or two snapshots, as data.

    Args:
        a: a run directory, its `snapshots/`, or one snapshot.
        b: the same.
        epoch: compare the snapshots of this epoch alone; None: of every epoch that both have,
            until the first that differs.

    Raises:
        SnapshotNotFoundError: if there is no snapshot, or none of that epoch in both.
        SnapshotCorruptError: if a snapshot is damaged where it must be read.
    """
    ours, theirs = _snapshots(a), _snapshots(b)
    pairs = _pairs(a, b, ours, theirs, epoch)
    run_a, run_b = _run_of(ours), _run_of(theirs)
    found = RunDiff(str(a), str(b), epochs=[number for number, _, _ in pairs])
    found.parameters = changes(_json(run_a, VARIANT), _json(run_b, VARIANT))
    found.options = [
        change
        for change in changes(_options(run_a), _options(run_b))
        if None not in (change.a, change.b)  # an option that one version does not know
    ]
    wanted = ("epoch", "changes", "fingerprint", "parent")
    newest = [Manifest.read(max(each.items())[1], wanted) for each in (ours, theirs)]
    found.settings = changes(_settings(newest[0]), _settings(newest[1]))
    found.versions = fingerprint_differences(newest[0].fingerprint, newest[1].fingerprint)
    with _table(run_a, newest[0].parent) as rows_a, _table(run_b, newest[1].parent) as rows_b:
        _compare_metrics(found, rows_a, rows_b, epoch)
    for number, left, right in pairs:
        found.parts = list(differing_parts(left, right))
        if found.parts:
            found.epoch = number
            break
    return found


def changes(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = "") -> list[Change]:
    """Return what two JSON objects differ in, those inside of others by their path."""
    found = []
    for key in dict.fromkeys([*a, *b]):
        left, right = a.get(key), b.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            found += changes(left, right, f"{prefix}{key}.")
        elif left != right:
            found.append(Change(f"{prefix}{key}", left, right))
    return found


def _snapshots(path: Path) -> dict[int, Path]:
    store, epochs, alone = resolve(path)
    if alone is not None:
        number = parse_epoch(alone.name)
        return {Manifest.read(alone).epoch if number is None else number: alone}
    return {number: store.path(number) for number in epochs}


def _pairs(
    a: Path, b: Path, ours: dict[int, Path], theirs: dict[int, Path], epoch: int | None
) -> list[tuple[int, Path, Path]]:
    """Return the snapshots to compare; two given by their own paths may be of two epochs."""
    if len(ours) == len(theirs) == 1 and epoch is None:
        (number, left), (_, right) = *ours.items(), *theirs.items()
        if left.samefile(a) and right.samefile(b):
            return [(number, left, right)]
    common = sorted({*ours} & {*theirs})
    wanted = [number for number in common if epoch in (None, number)]
    if not wanted:
        asked = "no epoch that both have" if epoch is None else f"epoch {epoch} is not in both"
        raise SnapshotNotFoundError(
            f"{asked}: {a} has snapshots of {_shown(ours)}, {b} of {_shown(theirs)}"
        )
    return [(number, ours[number], theirs[number]) for number in wanted]


def _shown(snapshots: Mapping[int, Path]) -> str:
    epochs = sorted(snapshots)
    if len(epochs) <= 8:
        return f"epoch {', '.join(map(str, epochs))}"
    return f"{len(epochs)} epochs from {epochs[0]} to {epochs[-1]}"


def _run_of(snapshots: Mapping[int, Path]) -> Path | None:
    return run_dir_of(next(iter(snapshots.values())))


def _settings(manifest: Manifest) -> dict[str, str]:
    last = {change["name"]: change for change in manifest.changes}
    return {
        name: f"{json.dumps(change.get('now'))} from epoch {change['epoch']}"
        for name, change in last.items()
    }


def _json(run: Path | None, name: str) -> dict[str, Any]:
    return {} if run is None else read_json(run / name)


def _options(run: Path | None) -> dict[str, Any]:
    options = _json(run, EXPERIMENT).get("options")
    known = options if isinstance(options, dict) else {}
    return {key: value for key, value in known.items() if key not in PLACE_AND_NAME}


@contextlib.contextmanager
def _table(run: Path | None, parent: Mapping[str, Any] | None) -> Iterator[_Table]:
    """Open the log of a run; an empty one where rows are logged at intervals, or are no table."""
    nothing = _Table([], iter(()))
    if run is None or _options(run).get("log_interval", 1) != 1:
        yield nothing
        return
    first = 0 if parent is None else int(parent["epoch"]) + 1
    with contextlib.ExitStack() as stack:
        try:
            columns, rows = stack.enter_context(open_table(run / PROGRESS))
        except SnapshotCorruptError:
            yield nothing
            return
        yield _Table(columns, enumerate(rows, first))


def _compare_metrics(found: RunDiff, ours: _Table, theirs: _Table, epoch: int | None) -> None:
    """Say of each column in which row it differs first; what is no table ends the comparison."""
    columns = dict.fromkeys([*ours.columns, *theirs.columns])
    places = {
        column: (ours.place_of(column), theirs.place_of(column))
        for column in columns
        if column and not is_time(column)
    }
    with contextlib.suppress(SnapshotCorruptError):
        for number, left, right in _common_rows(ours.rows, theirs.rows):
            if epoch not in (None, number):
                continue
            found.num_rows += 1
            for column, (one, other) in list(places.items()):
                a, b = _cell(left, one), _cell(right, other)
                if a != b:
                    found.metrics.append(MetricDiff(column, number, a, b))
                    del places[column]


def _common_rows(
    ours: Iterator[tuple[int, list[str]]], theirs: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the rows that both have, by epoch."""
    left, right = next(ours, None), next(theirs, None)
    while left is not None and right is not None:
        if left[0] == right[0]:
            yield left[0], left[1], right[1]
            left, right = next(ours, None), next(theirs, None)
        elif left[0] < right[0]:
            left = next(ours, None)
        else:
            right = next(theirs, None)


def _cell(row: Sequence[str], place: int | None) -> str | None:
    return None if place is None else row[place]
