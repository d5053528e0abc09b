"""What two runs on the disk differ in, and the first epoch and the first part at which they part.

Reads `experiment.json`, `variant.json`, `progress.csv`, manifests and safetensors: nothing is
unpickled, and no framework is loaded. Numbers that objects keep as plain attributes are in the
pickle alone, so they are not compared.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from garage_like.audit.component_diff import PartDiff, differing_parts
from garage_like.audit.times import is_time
from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.logging.csv_cells import cells_of_any_size
from garage_like.snapshot.disk.finding import resolve
from garage_like.snapshot.disk.layout import parse_epoch
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.run_files import EXPERIMENT, PROGRESS, VARIANT, open_text, read_json
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


@dataclass
class RunDiff:
    """What two runs differ in.

    Attributes:
        a: the first run.
        b: the second run.
        parameters: of the experiments.
        options: of the experiments, but for those of place and name.
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
    versions: list[str] = field(default_factory=list)
    num_rows: int = 0
    metrics: list[MetricDiff] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    epoch: int | None = None
    parts: list[PartDiff] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing that was compared differs."""
        found = (self.parameters, self.options, self.versions, self.metrics, self.parts)
        return not any(found)


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
    newest = (Manifest.read(max(ours.items())[1]), Manifest.read(max(theirs.items())[1]))
    found.versions = fingerprint_differences(newest[0].fingerprint, newest[1].fingerprint)
    rows = (_rows(run_a, newest[0].parent), _rows(run_b, newest[1].parent))
    _compare_metrics(found, rows[0], rows[1], epoch)
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


def _json(run: Path | None, name: str) -> dict[str, Any]:
    return {} if run is None else read_json(run / name)


def _options(run: Path | None) -> dict[str, Any]:
    options = _json(run, EXPERIMENT).get("options")
    known = options if isinstance(options, dict) else {}
    return {key: value for key, value in known.items() if key not in PLACE_AND_NAME}


def _rows(run: Path | None, parent: Mapping[str, Any] | None) -> dict[int, dict[str, str]]:
    """Return the rows of the log by epoch; none where rows are logged at intervals."""
    if run is None or _options(run).get("log_interval", 1) != 1:
        return {}
    first = 0 if parent is None else int(parent["epoch"]) + 1
    try:
        with (
            cells_of_any_size(),
            open_text(run / PROGRESS) as file,
        ):
            return dict(enumerate(map(_without_times, csv.DictReader(file)), first))
    except (SnapshotCorruptError, UnicodeDecodeError, csv.Error):
        return {}


def _without_times(row: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in row.items() if key and not is_time(key)}


def _compare_metrics(
    found: RunDiff,
    ours: Mapping[int, Mapping[str, str]],
    theirs: Mapping[int, Mapping[str, str]],
    epoch: int | None,
) -> None:
    common = [number for number in ours if number in theirs and epoch in (None, number)]
    found.num_rows = len(common)
    seen = set()
    for difference in _differing_cells(common, ours, theirs):
        if difference.column not in seen:
            seen.add(difference.column)
            found.metrics.append(difference)


def _differing_cells(
    common: list[int],
    ours: Mapping[int, Mapping[str, str]],
    theirs: Mapping[int, Mapping[str, str]],
) -> Iterator[MetricDiff]:
    for number in common:
        left, right = ours[number], theirs[number]
        for column in dict.fromkeys([*left, *right]):
            if left.get(column) != right.get(column):
                yield MetricDiff(column, number, left.get(column), right.get(column))
