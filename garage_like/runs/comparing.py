"""What many runs have in common, and what sets each apart: parameters, settings, returns."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from garage_like.configuration.comparison import CLASS, PARAMETERS
from garage_like.errors import SnapshotError
from garage_like.runs.index import overviews
from garage_like.runs.overview import Overview, newest_manifest
from garage_like.runs.selection import value_of
from garage_like.snapshot.disk.layout import SNAPSHOTS, epoch_name
from garage_like.snapshot.disk.manifest import Manifest

RESULTS = ("epochs", "steps", "return")


@dataclass(frozen=True)
class Comparison:
    """Some runs side by side.

    Attributes:
        runs: their directories.
        same: what all of them have, by name.
        differing: names of what they do not have in common, in the order in which they were found.
        values: of each run, by name: what differs, and results.
    """

    runs: list[str]
    same: dict[str, Any]
    differing: list[str]
    values: list[dict[str, Any]]


def runs_of(paths: Iterable[Path], *, sizes: bool = False) -> list[Overview]:
    """Return the runs that paths mean, each once: run directories, or folders of such.

    Args:
        paths: of them.
        sizes: as of `overviews`.

    Raises:
        ValueError: if there is no run at or below a path.
    """
    found: dict[str, Overview] = {}
    for path in paths:
        below = overviews(path, sizes=sizes) if path.is_dir() else []
        if not below:
            raise ValueError(f"{path}: expected a run, or a folder of runs")
        for run in below:
            found.setdefault(os.path.abspath(run.run), run)
    return list(found.values())


def compare_runs(runs: Sequence[Overview], metrics: Sequence[str] = ()) -> Comparison:
    """Put runs side by side by their parameters, and by what their parts were constructed with.

    Args:
        runs: to compare.
        metrics: columns of the log to show beside the return.
    """
    told: dict[tuple[str, str], str] = {}
    settings = [_settings(run, told) for run in runs]
    names: dict[str, None] = {}
    for one in settings:
        names.update(dict.fromkeys(one))
    differing = [name for name in names if _differs([one.get(name) for one in settings])]
    apart = set(differing)
    results = list(dict.fromkeys([*RESULTS, *metrics]))
    return Comparison(
        runs=[run.run for run in runs],
        same={name: settings[0].get(name) for name in names if name not in apart},
        differing=differing,
        values=[
            {name: one.get(name) for name in differing}
            | {name: value_of(run, name) for name in results}
            for run, one in zip(runs, settings, strict=True)
        ],
    )


def _differs(values: Sequence[Any]) -> bool:
    """Tell whether values are not all the same, 1 and True and 1.0 being three."""
    first = values[0]
    if values.count(first) < len(values):
        return True
    if isinstance(first, dict | list):
        text = json.dumps(first, sort_keys=True)
        return any(json.dumps(value, sort_keys=True) != text for value in values)
    return len(set(map(type, values))) > 1


def _settings(run: Overview, told: dict[tuple[str, str], str]) -> dict[str, Any]:
    """Return what a run was made with: parameters by name, the rest as `algo.discount`.

    Args:
        run: to tell of.
        told: names that were put together before, since thousands of runs have the same.
    """
    sections = {} if run.last_epoch is None else _configuration(run.run, run.last_epoch)
    settings = {"algo": run.algorithm, "env": run.environment, **run.parameters}
    for part, section in sections.items():
        for name, value in section.items() if part != PARAMETERS else ():
            if (part, name) != ("algo", CLASS):  # which is said already
                settings[told.setdefault((part, name), f"{part}.{name}")] = value
    return settings


def _configuration(run: str, epoch: int) -> Mapping[str, Mapping[str, Any]]:
    """Return what a snapshot says of it, or the newest, should that one have gone by now."""
    wanted = ("epoch", "configuration")
    try:
        return Manifest.read(f"{run}/{SNAPSHOTS}/{epoch_name(epoch)}", wanted).configuration
    except SnapshotError:
        newest, _ = newest_manifest(Path(run), only=wanted)
        return {} if newest is None else newest.configuration
