"""SnapshotStore: snapshots as directories, committed in one step, set aside, removed.

Commit protocol: write every file into a hidden directory and fsync it, the manifest last; fsync the
directories; rename to the final name; fsync the parent. Only then is the snapshot saved. A file
whose bytes an earlier snapshot has becomes a hard link, but never to the newest: see `sources`.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from garage_like.errors import (
    SnapshotCorruptError,
    SnapshotSaveError,
    SnapshotWriteError,
)
from garage_like.snapshot.disk import layout, pins
from garage_like.snapshot.disk.digests import FileEntry, file_digest_of
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.sweeping import sweep
from garage_like.snapshot.disk.verified import Verified, problems_of
from garage_like.snapshot.disk.writing import Files, rewrite_manifest, write_snapshot

__all__ = ["SnapshotStore", "problems_of"]


class SnapshotStore:
    """Keep the snapshots of one run below `run_dir/snapshots`."""

    def __init__(self, snapshots_dir: Path, filesystem: FileSystem | None = None) -> None:
        self.dir = snapshots_dir
        self._fs = filesystem or FileSystem()
        self._verified = Verified()
        self._listed: list[int] | None = None

    @classmethod
    def of_run(cls, run_dir: Path, filesystem: FileSystem | None = None) -> SnapshotStore:
        """Return the store of a run directory."""
        return cls(run_dir / layout.SNAPSHOTS, filesystem)

    def path(self, epoch: int) -> Path:
        """Return the directory of an epoch's snapshot, whether it exists or not."""
        path = f"{self.dir}/{layout.epoch_name(epoch)}"
        if not os.path.exists(path):
            replaced = self._replaced(Path(path))
            if replaced.exists():
                return replaced
        return Path(path)

    def epochs(self) -> list[int]:
        """Return the epochs that have a snapshot, in order."""
        return layout.epochs_in(self.dir, replaced_too=True)

    def manifest(self, epoch: int, only: Collection[str] = ()) -> Manifest:
        """Read the manifest of an epoch's snapshot, or some of it: see `Manifest.from_bytes`."""
        return Manifest.read(self.path(epoch), only)

    # ---- opening --------------------------------------------------------------------------------

    def open(self, verified: Manifest | None = None) -> None:
        """Make the directory if need be, and clear up what a kill in the middle of a save left.

        Args:
            verified: the snapshot that the run goes on from, if it lies here and was checked.

        Raises:
            SnapshotSaveError: if nothing can be written there.
        """
        self._verified = Verified(verified)
        self._listed = None
        try:
            self._make()
            sweep(self._fs, self.dir)
        except OSError as error:
            raise SnapshotSaveError(
                f"{self.dir}: no snapshot can be written there: {error}; make it writable, or"
                " choose another snapshot_dir"
            ) from error

    def _make(self) -> None:
        layout.refuse_link(self.dir)
        if self.dir.is_dir():
            return
        for path in (*reversed(self.dir.absolute().parents), self.dir):
            if not path.is_dir():
                self._fs.make_dir(path)
        self._sync_parents()

    def _sync_parents(self) -> None:
        """Make the names of the directories above durable: the run's may be as new as ours."""
        run_dir, *above = self.dir.absolute().parents
        self._fs.sync_dir(run_dir)
        with contextlib.suppress(OSError):  # not ours to open, so it was there before
            for parent in above:
                self._fs.sync_dir(parent)

    # ---- committing -----------------------------------------------------------------------------

    @property
    def verified(self) -> Manifest | None:
        """The newest snapshot, if this process committed it or opened the store with it."""
        return self._verified.newest

    def commit(
        self, manifest: Manifest, files: Files, unchanged: Mapping[str, FileEntry] | None = None
    ) -> Path:
        """Write a snapshot and make it durable.

        Args:
            manifest: what the snapshot says of itself, but for its files.
            files: the pieces of each file, by path inside the snapshot.
            unchanged: further files, which are as in the snapshot before.

        Returns:
            The directory of the snapshot.

        Raises:
            SnapshotWriteError: if anything fails; earlier snapshots are intact and nothing is left.
        """
        final = self.dir / layout.epoch_name(manifest.epoch)
        saving = self.dir / f"{layout.SAVING}{final.name}-{uuid.uuid4().hex[:8]}"
        try:
            self._make()  # a user may have removed it
            sources = self._verified.sources_for(manifest.epoch, self._newest_first())
            entries = {name: file_digest_of(pieces) for name, pieces in files.items()}
            manifest = replace(manifest, files=entries | dict(unchanged or {}))
            write_snapshot(self._fs, saving, manifest, files, sources)
            self._publish(saving, final)
        except BaseException as error:
            self._listed = None
            self._verified.forget()  # what cannot be written may not be what it was either
            self._clear_up(saving, final)
            if not isinstance(error, OSError | SnapshotCorruptError):
                raise
            raise SnapshotWriteError(
                f"{final}: the snapshot could not be written: {error}; earlier snapshots are intact"
            ) from error
        self._verified.add(manifest, sources)
        if self._listed is not None and manifest.epoch not in self._listed[-1:]:
            bisect.insort(self._listed, manifest.epoch)
        return final

    def _newest_first(self) -> Iterator[tuple[int, Path]]:
        """Yield epoch and directory of each snapshot, as far as one is asked for.

        What is there is listed once and kept in mind, since there is one writer: the thousandth
        commit looks at the disk no longer than the first. What a user removed is passed over.
        """
        if self._listed is None:
            self._listed = self.epochs()
        for epoch in reversed(self._listed):
            path = self.path(epoch)
            if path.is_dir():
                yield epoch, path

    def _publish(self, saving: Path, final: Path) -> None:
        replaced = self._replaced(final)
        if pins.is_pinned(final):
            pins.pin(saving, self._fs)
        if final.exists():
            if replaced.exists():
                self._fs.remove_tree(replaced)
            self._fs.rename(final, replaced)
        self._fs.rename(saving, final)
        try:
            self._fs.sync_dir(self.dir)
        except BaseException:
            self._fs.rename(final, saving)  # it may be lost yet, so let it not be seen
            raise
        if replaced.exists():
            with contextlib.suppress(OSError):  # swept when the store is opened next
                self._fs.remove_tree(replaced)

    def relabel(self, reason: str) -> None:
        """Have every snapshot say that a resume from it is not exact, and why.

        One that is pruned meanwhile, or cannot be written to, is left as it is.
        """
        for epoch in self.epochs():
            with contextlib.suppress(OSError, SnapshotCorruptError):
                manifest = self.manifest(epoch)
                if reason not in manifest.reasons and not self.path(epoch).is_symlink():
                    reasons = [*manifest.reasons, reason]
                    told = replace(manifest, exact=False, reasons=reasons)
                    rewrite_manifest(self._fs, self.path(epoch), told)

    def take_damaged(self) -> list[str]:
        """Return which files of earlier snapshots were found damaged since this was last called."""
        damaged, self._verified.damaged = self._verified.damaged, []
        return damaged

    def is_good(self, epoch: int) -> bool:
        """Tell whether a snapshot verifies; what this process wrote or has read is not read."""
        return self._verified.is_good(self.path(epoch), epoch)

    def is_pinned(self, epoch: int) -> bool:
        """Tell whether the snapshot of an epoch bears a pin."""
        return pins.is_pinned(self.path(epoch))

    @staticmethod
    def _replaced(final: Path) -> Path:
        return final.with_name(f"{layout.REPLACED}{final.name}")

    def _clear_up(self, saving: Path, final: Path) -> None:
        """Undo a commit that failed; what cannot be undone now is when the store is opened next."""
        try:
            if not final.exists() and self._replaced(final).exists():
                self._fs.rename(self._replaced(final), final)
            if saving.exists():
                self._fs.remove_tree(saving)
        except OSError:
            return

    # ---- removing -------------------------------------------------------------------------------

    def remove(self, epochs: Iterable[int]) -> list[int]:
        """Delete snapshots; a kill or a power cut half-way leaves none that looks whole.

        Returns:
            The epochs whose snapshots are gone: one that was pinned a moment ago stays.
        """
        layout.refuse_link(self.dir)
        doomed = {}
        for epoch in epochs:
            path = self.path(epoch)
            hidden = self.dir / f"{layout.REMOVING}{path.name}-{uuid.uuid4().hex[:8]}"
            self._fs.rename(path, hidden)
            if pins.is_pinned(hidden):
                self._fs.rename(hidden, path)
            else:
                doomed[epoch] = hidden
                self._forget(epoch)
        if doomed:
            self._fs.sync_dir(self.dir)
        for hidden in doomed.values():
            self._fs.remove_tree(hidden)
        return list(doomed)

    def set_aside(self, epoch: int) -> Path:
        """Rename a snapshot that does not verify, so that it is neither used nor lost."""
        layout.refuse_link(self.dir)
        target = layout.free_name(self.dir, f"{layout.epoch_name(epoch)}.corrupt")
        self._fs.rename(self.path(epoch), target)
        self._fs.sync_dir(self.dir)
        self._forget(epoch)
        return target

    def orphan_after(self, epoch: int) -> Path | None:
        """Move all snapshots later than `epoch` out of the way; return where to, or None.

        The newest goes first, so that whatever is newest at any moment belongs to one history.
        """
        later = [other for other in self.epochs() if other > epoch]
        if not later:
            return None
        layout.refuse_link(self.dir)
        orphans = layout.free_name(self.dir, "orphan")
        self._fs.make_dir(orphans)
        for other in reversed(later):
            self._fs.rename(self.path(other), orphans / layout.epoch_name(other))
            self._forget(other)
            self._fs.sync_dir(self.dir)
        return orphans

    def _forget(self, epoch: int) -> None:
        self._verified.forget(epoch)
        if self._listed is not None and epoch in self._listed:
            self._listed.remove(epoch)
