"""Loading weights alone into objects that are there: as data, so no code of the snapshot runs."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from garage_like.errors import SnapshotMismatchError, SnapshotNotFoundError
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.graph.naming import component_and_key, named_objects
from garage_like.snapshot.kinds.arrays import as_the_run_sees_them
from garage_like.snapshot.kinds.kind import Kind
from garage_like.snapshot.kinds.registry import KINDS
from garage_like.snapshot.reader import SnapshotReader, read_snapshot

_NO_WEIGHT = re.compile(r"(^|\.)seed_seq\.pool$|_space\.")
"""What random generators were seeded from, and the bounds of spaces: nothing that is learned."""


@dataclass(frozen=True)
class LoadReport:
    """What `load_weights` did.

    Attributes:
        snapshot: where the weights come from.
        loaded: arrays that have the saved values now, as `component.name`.
        skipped: what the snapshot holds and was not loaded, and why; a component as a whole if it
            was not asked for.
        kept: arrays of the target that the snapshot has no values for.
    """

    snapshot: Path
    loaded: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the report as text, a line for each thing that one should know."""
        lines = [f"{self.snapshot}: {len(self.loaded)} arrays loaded, {len(self.skipped)} skipped"]
        lines += [f"  loaded   {name}" for name in self.loaded]
        lines += [f"  skipped  {name}: {why}" for name, why in self.skipped.items()]
        lines += [f"  kept     {name}: not in the snapshot" for name in self.kept]
        return "\n".join(lines)


def load_weights(
    target: Any,
    path: str | os.PathLike[str],
    which: FromEpoch = "last",
    *,
    components: Sequence[str] = ("policy",),
    allow_partial: bool = False,
) -> LoadReport:
    """Copy saved arrays into a policy, or into parts of an algorithm, that you made yourself.

    Arrays go where their names and shapes fit, on whatever device the target lies. Its modes,
    random numbers, and everything else that is no array stay as they are.

    Args:
        target: an algorithm; or one component by itself, if `components` is one name.
        path: a run directory, its `snapshots/`, or one snapshot.
        which: `'last'`, `'first'`, `'best'` or an epoch.
        components: names of what to load: `policy`, `qf1`, `policy_optimizer` and so on.
        allow_partial: load what fits. Else all that was asked for must fit, both ways.

    Returns:
        What was loaded, what was skipped and why, and what was kept.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot, or no such component in it.
        SnapshotCorruptError: if a file is damaged.
        SnapshotMismatchError: if something does not fit; the target is as it was.
        TypeError: if `components` is one string, or the target is one component and they are many.
    """
    if isinstance(components, str):
        raise TypeError(f"components must be a sequence of names, got the string {components!r}")
    snapshot = read_snapshot(path, which)
    saved = _saved_arrays(snapshot, components)
    places = _places(_as_algorithm(target, components), components)
    fits: dict[str, np.ndarray] = {}
    skipped = {name: "not asked for" for name in snapshot.components if name not in components}
    for name, array in saved.items():
        if name not in places:
            skipped[name] = "the target has no such array"
        elif _shape(places[name]) != array.shape:
            skipped[name] = f"its shape is {array.shape}, the target's is {_shape(places[name])}"
        else:
            fits[name] = array
    kept = [name for name in places if name not in saved]
    report = LoadReport(snapshot.path, list(fits), skipped, kept)
    unfit = [f"{name}: {why}" for name, why in skipped.items() if name in saved]
    unfit += [f"{name}: not in the snapshot" for name in kept]
    if unfit and not allow_partial:
        raise SnapshotMismatchError(
            f"{snapshot.path}: {', '.join(components)} of the snapshot and the target differ, and"
            f" nothing was loaded: {'; '.join(unfit)}. allow_partial=True loads what fits"
        )
    for name, array in fits.items():
        kind = _kind_of(places[name])
        if kind is not None:
            kind.assign(places[name], array)
    return report


def _as_algorithm(target: Any, components: Sequence[str]) -> Any:
    """Return something that has the components as attributes."""
    if any(_attribute(target, name) is not None for name in components):
        return target
    if len(components) != 1:
        raise TypeError(
            f"target {type(target).__name__} has none of the components {', '.join(components)};"
            " expected an algorithm, or one component and its name"
        )
    return SimpleNamespace(**{components[0]: target})


def _attribute(target: Any, name: str) -> Any:
    return getattr(target, name, None) or getattr(target, f"_{name}", None)


def _saved_arrays(snapshot: SnapshotReader, components: Sequence[str]) -> dict[str, np.ndarray]:
    missing = [name for name in components if name not in snapshot.components]
    if missing:
        raise SnapshotNotFoundError(
            f"{snapshot.path}: no component {', '.join(map(repr, missing))}; there are"
            f" {', '.join(snapshot.components)}"
        )
    return {
        f"{component}.{key}": array
        for component in components
        for key, array in as_the_run_sees_them(snapshot.tensors(component)).items()
        if not _NO_WEIGHT.search(key)
    }


def _places(algo: Any, components: Sequence[str]) -> dict[str, Any]:
    """Return the arrays of some components by the names that a snapshot gives them."""
    found: dict[str, Any] = {}
    for path, value in named_objects({"algo": algo}, {}):
        component, key = component_and_key(path)
        if component in components and _kind_of(value) is not None and not _NO_WEIGHT.search(key):
            found.setdefault(f"{component}.{key}", value)
    return found


def _kind_of(value: Any) -> Kind | None:
    """Return the kind that can write numbers into a value, if one can."""
    return next((kind for kind in KINDS.of(type(value)) if kind.takes_weights(value)), None)


def _shape(array: Any) -> tuple[int, ...]:
    return tuple(map(int, array.shape))
