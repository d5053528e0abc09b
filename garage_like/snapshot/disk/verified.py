"""Which snapshots this process knows to be good, so that none is read twice without need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from garage_like.errors import SnapshotCorruptError, SnapshotError
from garage_like.snapshot.disk.digests import check_file
from garage_like.snapshot.disk.layout import identity
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.sources import Earlier, ReadBack, Sources

LOOKED_AT = 3
"""How many of the newest snapshots a new one is compared with."""


class Verified:
    """Remember the snapshots that were written or checked here, and what was read back.

    Attributes:
        newest: the last one that was committed, or that the store was opened with.
        damaged: what was found of files that are not as they were written, a sentence each.
    """

    def __init__(self, newest: Manifest | None = None) -> None:
        self.newest = newest
        self.damaged: list[str] = []
        self._good = {} if newest is None else {newest.epoch: newest}
        self._read_back = [ReadBack(), ReadBack()]  # files are shared with every other snapshot

    def forget(self, epoch: int | None = None) -> None:
        """Believe nothing of a snapshot from now on, or of any."""
        for known in tuple(self._good) if epoch is None else (epoch,):
            self._good.pop(known, None)

    def is_good(self, snapshot: Path, epoch: int) -> bool:
        """Tell whether a snapshot verifies; reads it if it must."""
        if epoch not in self._good and not problems_of(snapshot):
            self._good[epoch] = Manifest.read(snapshot)
        return epoch in self._good

    def sources_for(self, epoch: int, on_disk: Iterable[tuple[int, Path]]) -> Sources:
        """Return what the snapshot of an epoch may be linked to.

        Args:
            epoch: to be written.
            on_disk: epoch and directory of each snapshot, the newest first.
        """
        earlier: list[Earlier] = []
        for other, path in on_disk:
            try:
                manifest = self._good.get(other) or Manifest.read(path)
            except SnapshotError:
                continue
            earlier.append(Earlier(path, manifest, other in self._good))
            if len(earlier) == LOOKED_AT:
                break
        neighbour = next((e for e in earlier if e.manifest.epoch != epoch), None)
        others = [e for e in earlier if e is not neighbour]
        return Sources(neighbour, others, self._read_back[0])

    def add(self, manifest: Manifest, sources: Sources) -> None:
        """Take note of a snapshot that was committed, and of what was found on the way."""
        self._read_back.reverse()
        if sources.damaged:
            self.damaged += sources.damaged
            self.forget()
        self.newest = self._good[manifest.epoch] = manifest
        for epoch in sorted(self._good)[:-LOOKED_AT]:
            self.forget(epoch)


def problems_of(snapshot: Path) -> list[str]:
    """Check the manifest and every file of a snapshot; return what is wrong, a sentence each."""
    try:
        manifest = Manifest.read(snapshot)
    except SnapshotError as error:
        return [str(error)]
    found = []
    for name, entry in manifest.files.items():
        try:
            check_file(snapshot, name, entry)
        except SnapshotCorruptError as error:
            found.append(str(error))
    return found


def problems_unless_pruned(snapshot: Path) -> Sequence[str] | None:
    """Check a snapshot that a run under way may remove or replace; None if it is gone."""
    while (before := identity(snapshot)) is not None:
        problems = problems_of(snapshot)
        if not problems or identity(snapshot) == before:
            return problems
    return None
