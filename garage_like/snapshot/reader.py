"""Reading snapshots as data: JSON and tensors alone. Nothing here can run a snapshot's code.

Needs no framework: `garage-like ls`, `show` and `verify` are built on it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.snapshot.choosing import FromEpoch, snapshot_path
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.finding import resolve
from garage_like.snapshot.disk.layout import identity
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import problems_of
from garage_like.snapshot.mirror.reading import here

if TYPE_CHECKING:
    import numpy as np


class SnapshotReader:
    """One snapshot, as data.

    Attributes:
        path: its directory.
        manifest: epoch, counters, metrics, versions, files: see `Manifest`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = Manifest.read(path)

    @property
    def epoch(self) -> int:
        """The last epoch that was finished."""
        return self.manifest.epoch

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of the epoch's row of the log, non-finite ones too."""
        numbers = {key: self.manifest.metric(key) for key in self.manifest.metrics}
        return {key: number for key, number in numbers.items() if number is not None}

    @property
    def configuration(self) -> dict[str, dict[str, Any]]:
        """What each component was constructed with, by component and argument, defaults included.

        Under `parameters`, those of the decorated experiment.
        """
        return self.manifest.configuration

    @property
    def normalizers(self) -> dict[str, dict[str, np.ndarray]]:
        """What the environment normalises with: `mean`, `var` and `count`, float64, by what.

        Raises:
            SnapshotCorruptError: if they are no numbers.
        """
        from garage_like.data.normalizers import arrays_of

        try:
            return arrays_of(self.manifest.normalizers)
        except (ValueError, TypeError, OverflowError) as error:
            raise SnapshotCorruptError(f"{self.path}: normalizers: {error}") from error

    @property
    def components(self) -> list[str]:
        """Names of the components that hold arrays."""
        prefix, suffix = f"{layout.TENSORS}/", ".safetensors"
        return sorted(
            name.removeprefix(prefix).removesuffix(suffix)
            for name in self.manifest.files
            if name.startswith(prefix) and name.endswith(suffix)
        )

    def tensors(self, component: str) -> dict[str, np.ndarray]:
        """Return the arrays of a component, by name.

        What NumPy has no type for comes, exactly, in one that it has: bfloat16 and floats of 8, 6
        and 4 bits as float32, integers of less than a byte as int8 and uint8; records come as
        bytes. An array whose memory runs in another order of axes is called by that order:
        `weight.T` is the transpose.

        Raises:
            SnapshotNotFoundError: if there is no such component; lists those there are.
            SnapshotCorruptError: if the file is damaged.
        """
        if component not in self.components:
            component = _PRESENT_NAMES.get(component, component)
        if component not in self.components:
            raise SnapshotNotFoundError(
                f"{self.path}: no component {component!r}; there are {', '.join(self.components)}"
            )
        from garage_like.snapshot.disk.tensors import read_tensors

        name = f"{layout.TENSORS}/{component}.safetensors"
        tensors = read_tensors(self.path, name, self.manifest.files[name])
        return {key: tensor.array() for key, tensor in tensors.items()}

    @property
    def tables(self) -> list[str]:
        """Names of the tables: replay memory, say."""
        left_out = self.manifest.left_out
        folders = ((str(entry["folder"]), entry.get("memory")) for entry in self.manifest.tables)
        return [folder for folder, memory in folders if memory not in left_out]

    def table(self, name: str, *, oldest_first: bool = False) -> dict[str, np.ndarray]:
        """Return the rows of a table by column, each of shape (rows, ...).

        Args:
            name: of the table.
            oldest_first: in the order in which they were written; else in that of the ring, in
                which newer rows may come before older ones.

        Raises:
            SnapshotNotFoundError: if there is no such table, or it was not saved.
            SnapshotCorruptError: if a file is damaged.
        """
        left_out = self.manifest.left_out
        if name in left_out or name.startswith(tuple(f"{memory}." for memory in left_out)):
            raise SnapshotNotFoundError(
                f"{self.path}: replay memory {name!r} was not saved (include_buffer=False)"
            )
        if name not in self.tables:
            raise SnapshotNotFoundError(
                f"{self.path}: no table {name!r}; there are {', '.join(self.tables) or 'none'}"
            )
        from garage_like.snapshot.disk.tables import read_columns

        entry = self.manifest.tables[self.tables.index(name)]
        columns = read_columns(entry, self.path, self.manifest.files)
        if not oldest_first:
            return columns
        import numpy as np

        next_row = int(entry.get("next_row", 0)) % max(1, entry["num_rows"])
        return {key: np.roll(column, -next_row, axis=0) for key, column in columns.items()}

    def problems(self) -> list[str]:
        """Check every digest; return what is wrong, a sentence each."""
        return problems_of(self.path)

    def summary(self) -> dict[str, Any]:
        """Return what a person wants to know first, as plain JSON values."""
        return _summary(self.path, self.manifest)


def summary_of(snapshot: Path) -> dict[str, Any]:
    """Return the summary of a snapshot; no more of its manifest is read.

    Raises:
        SnapshotCorruptError: if its manifest is damaged.
    """
    return _summary(snapshot, Manifest.read(snapshot, (*_SUMMARISED, "files")))


def _summary(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "path": str(path),
        "bytes": sum(entry.bytes for entry in manifest.files.values()),
        **{name: getattr(manifest, name) for name in _SUMMARISED},
    }


_SUMMARISED = (
    "epoch",
    "total_env_steps",
    "train_seconds",
    "created",
    "exact",
    "reasons",
    "metrics",
)


def read_snapshot(path: str | os.PathLike[str], which: FromEpoch = "last") -> SnapshotReader:
    """Open one snapshot as data.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.
        which: `'last'`, `'first'`, `'best'`, or an epoch.

    Raises:
        SnapshotNotFoundError: if there is none.
        SnapshotCorruptError: if its manifest is damaged.
    """
    while True:
        found = snapshot_path(path, which)
        before = identity(found)
        try:
            return SnapshotReader(found)
        except SnapshotCorruptError:
            if identity(found) == before is not None:
                raise  # else a run under way has pruned it meanwhile, and has a newer one


def list_snapshots(path: str | os.PathLike[str]) -> list[Path]:
    """Return the directories of all snapshots that a path means, the oldest first."""
    store, epochs, alone = resolve(here(path))
    return [alone] if alone is not None else [store.path(epoch) for epoch in epochs]


_PRESENT_NAMES = {"own_env": "env"}
"""Components by names that they had: off-policy learning trained in a copy of the environment."""
