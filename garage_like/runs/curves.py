"""Learning curves: columns of progress.csv, read without running any code of the run.

A run that went on in a new directory, or was branched from another, has only its own rows in its
log. Its curve begins with those of its parent, up to where it parted.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.errors import SnapshotCorruptError
from garage_like.files.log_table import numbers_in, open_table
from garage_like.files.run_files import PROGRESS, VARIANT, read_json
from garage_like.runs.overview import newest_manifest

MAX_POINTS = 2000
MOST_NAMED = 60
FAN_POINTS = 400
FAN_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class NothingToDrawError(ValueError):
    """There is no log, or no such column in it."""


@dataclass(frozen=True)
class Curve:
    """One run's numbers.

    Attributes:
        run: its directory.
        x: shape (P,), rising.
        y: shape (P,).
        own: points before this one are its parent's.
    """

    run: Path
    x: np.ndarray
    y: np.ndarray
    own: int = 0

    @property
    def from_fork(self) -> Curve:
        """The curve from the last point that it shares with its parent on."""
        begin = max(self.own - 1, 0)
        return Curve(self.run, self.x[begin:], self.y[begin:])


@dataclass(frozen=True)
class Band:
    """The mean of some runs and how far they spread.

    Attributes:
        label: what they have in common.
        runs: their directories.
        x: shape (P,), where all of them have been.
        mean: shape (P,).
        spread: shape (P,), standard deviation over the runs; 0 of a single one.
        rest: shape (R, 2), x and mean of those runs that have come further than all have.
    """

    label: str
    runs: tuple[Path, ...]
    x: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    rest: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))


def read_curve(run: Path, x: str, y: str) -> Curve:
    """Read a run's curve, that of its parent before its own.

    Raises:
        NothingToDrawError: if the run has no log, or no such columns.
    """
    own = _points(run, x, y)
    parent = parent_of(run)
    if parent is None:
        return Curve(run, *own)
    try:
        before = read_curve(parent, x, y)
    except NothingToDrawError:
        return Curve(run, *own)
    shared = before.x < (own[0][0] if len(own[0]) else math.inf)
    return Curve(
        run,
        np.concatenate([before.x[shared], own[0]]),
        np.concatenate([before.y[shared], own[1]]),
        own=int(shared.sum()),
    )


def read_column(run: Path, name: str) -> np.ndarray:
    """Return the numbers of a column of a run's own log.

    Raises:
        NothingToDrawError: if the run has no log, or no such column.
    """
    return _points(run, name, name)[1]


def parent_of(run: Path) -> Path | None:
    """Return the run that this one was resumed or branched from, if it is still there."""
    manifest, _ = newest_manifest(run)
    recorded = None if manifest is None else manifest.parent
    if not recorded:
        return None
    named = Path(str(recorded.get("run", "")))
    for place in (named, run.parent / named.name):  # they may have been moved together
        if place.is_dir() and place.resolve() != run.resolve():
            return place
    return None


def _points(run: Path, x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
    path = run / PROGRESS
    try:
        with open_table(path) as (columns, rows):
            for name in (x, y):
                if name not in columns:
                    raise NothingToDrawError(f"{path}: no column {name!r}; {_hint(name, columns)}")
            wanted = dict.fromkeys((x, y))
            read = numbers_in(rows, [columns.index(name) for name in wanted])
    except SnapshotCorruptError as error:
        raise NothingToDrawError(str(error)) from error
    found = dict(zip(wanted, map(np.array, read), strict=True))
    finite = np.isfinite(found[x]) & np.isfinite(found[y])
    return found[x][finite], found[y][finite]


def _hint(name: str, columns: Sequence[str]) -> str:
    known = {column.lower(): column for column in columns}
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    near = near or [column for column in known if name.lower() in column]
    # Those that are near first: they may be meant.
    first = [known[column] for column in near[:3]]
    shown = [*first, *(column for column in columns if column not in first)][:MOST_NAMED]
    if not columns:
        return "the file is empty"
    more = f", and {len(columns) - len(shown)} more" if len(columns) > len(shown) else ""
    return f"there are {', '.join(map(repr, shown))}{more}"


def bands(curves: Iterable[Curve], key: str) -> list[Band]:
    """Put curves that have something in common together.

    A branch that is drawn beside its parent begins where it left it.

    Args:
        curves: of single runs.
        key: `'none'` leaves each run by itself, `'name'` puts together those whose names differ in
            the number at their end alone, anything else those with the same value of that parameter
            of the experiment.

    Raises:
        NothingToDrawError: if a run has no such parameter.
    """
    groups: dict[str, list[Curve]] = {}
    curves = list(curves)
    names = _shown_names([curve.run for curve in curves])
    for curve in curves:
        groups.setdefault(_label(curve.run, key, names), []).append(curve)
    drawn = {curve.run.resolve() for curve in curves}
    for members in groups.values():
        if len(members) == 1 and _place(parent_of(members[0].run)) in drawn:
            members[0] = members[0].from_fork
    return [_band(label, members) for label, members in groups.items()]


def _place(run: Path | None) -> Path | None:
    return None if run is None else run.resolve()


def _shown_names(runs: Sequence[Path]) -> Mapping[Path, str]:
    """Return names of directories, with the folder in front where names are not enough."""
    bare = [run.resolve().name for run in runs]
    return {
        run: name if bare.count(name) == 1 else f"{run.resolve().parent.name}/{name}"
        for run, name in zip(runs, bare, strict=True)
    }


def _label(run: Path, key: str, names: Mapping[Path, str]) -> str:
    if key == "none":
        return names[run]
    if key == "name":
        return re.sub(r"(.)[_-]?\d+$", r"\1", run.resolve().name)
    value: Any = read_json(run / VARIANT)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise NothingToDrawError(
                f"{run}: its experiment has no parameter {key!r} to group by; use name, none or a"
                " parameter that variant.json lists"
            )
        value = value[part]
    return f"{key}={value}"


def _band(label: str, curves: Sequence[Curve]) -> Band:
    curves = [curve for curve in curves if len(curve.x)] or list(curves)
    runs = tuple(curve.run for curve in curves)
    if len(curves) == 1 or not all(len(curve.x) for curve in curves):
        only = curves[0]
        return Band(label, runs, only.x, only.y, np.zeros(len(only.x)))
    begin = max(curve.x[0] for curve in curves)
    end = min(curve.x[-1] for curve in curves)
    grid = np.unique(np.concatenate([curve.x for curve in curves]))
    grid = grid[(grid >= begin) & (grid <= end)]
    if len(grid) > MAX_POINTS:
        grid = np.linspace(begin, end, MAX_POINTS)
    values = np.array([np.interp(grid, curve.x, curve.y) for curve in curves])
    return Band(label, runs, grid, values.mean(axis=0), values.std(axis=0), _rest(curves, end))


def _rest(curves: Sequence[Curve], end: float) -> np.ndarray:
    """Return the mean of those runs that go on where others have ended: fewer and fewer."""
    longer = [curve for curve in curves if curve.x[-1] > end]
    if not longer:
        return np.zeros((0, 2))
    grid = np.unique(np.concatenate([[end], *(curve.x[curve.x > end] for curve in longer)]))
    if len(grid) > MAX_POINTS:
        grid = np.linspace(end, grid[-1], MAX_POINTS)
    values = np.array([np.interp(grid, c.x, c.y, right=np.nan) for c in longer])
    return np.stack([grid, np.nanmean(values, axis=0)], axis=1)


def smoothed(curve: Curve, weight: float) -> Curve:
    """Return a curve whose numbers are averages of all before, older ones counting less.

    Args:
        curve: of a run.
        weight: by which a number counts less than the one after it; 0 leaves the curve as it is.

    Raises:
        ValueError: if the weight is not in [0, 1).
    """
    if not 0.0 <= weight < 1.0:
        raise ValueError(f"smoothing must be at least 0 and below 1, got {weight!r}")
    if not weight:
        return curve
    average, y = 0.0, np.empty(len(curve.y))
    for place, value in enumerate(curve.y.tolist()):
        average = weight * average + (1.0 - weight) * value
        y[place] = average / (1.0 - weight ** (place + 1))  # it began with 0, not with a number
    return replace(curve, y=y)


def fan(drawn: Sequence[Band]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return x and quantiles, shape (5, P), of many curves together: 5, 25, 50, 75 and 95 %.

    They are taken over those that have come so far; where none has, nothing is drawn.
    """
    long = [band for band in drawn if len(band.x)]
    if not long:
        return []
    ends = [np.append(band.x[-1:], band.rest[-1:, 0]).max() for band in long]
    grid = np.linspace(min(band.x[0] for band in long), max(ends), FAN_POINTS)
    values = np.full((len(long), FAN_POINTS), np.nan)
    for row, band in zip(values, long, strict=True):
        x, y = np.append(band.x, band.rest[1:, 0]), np.append(band.mean, band.rest[1:, 1])
        row[:] = np.interp(grid, x, y, left=np.nan, right=np.nan)
    seen = ~np.isnan(values).all(axis=0)
    return [(grid[seen], np.nanquantile(values[:, seen], FAN_QUANTILES, axis=0))]
