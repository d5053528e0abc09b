"""SnapshotStore: snapshots as directories, committed in one step, verified, set aside, removed.

Commit protocol: write every file into a hidden directory and fsync it, the manifest last; fsync the
directories; rename to the final name; fsync the parent. Only then is the snapshot saved. A file
whose bytes equal the previous snapshot's becomes a hard link to it.
"""

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError, SnapshotSaveError
from garage_like.snapshot import layout
from garage_like.snapshot.filesystem import Buffer, FileSystem
from garage_like.snapshot.manifest import FileEntry, Manifest, new_digest

PIECE = 1 << 20


class SnapshotStore:
    """Keep the snapshots of one run below `run_dir/snapshots`."""

    def __init__(self, snapshots_dir: Path, filesystem: FileSystem | None = None) -> None:
        self.dir = snapshots_dir
        self._fs = filesystem or FileSystem()

    @classmethod
    def of_run(cls, run_dir: Path, filesystem: FileSystem | None = None) -> "SnapshotStore":
        """Return the store of a run directory."""
        return cls(run_dir / layout.SNAPSHOTS, filesystem)

    def path(self, epoch: int) -> Path:
        """Return the directory of an epoch's snapshot, whether it exists or not."""
        return self.dir / layout.epoch_name(epoch)

    def epochs(self) -> list[int]:
        """Return the epochs that have a snapshot, in order."""
        return layout.epochs_in(self.dir)

    def manifest(self, epoch: int) -> Manifest:
        """Read the manifest of an epoch's snapshot."""
        return Manifest.read(self.path(epoch))

    def open(self) -> None:
        """Make the directory if need be, and clear up what a kill in the middle of a save left."""
        if not self.dir.is_dir():
            self._fs.make_dir(self.dir)
            self._fs.sync_dir(self.dir.parent)
        for entry in sorted(os.scandir(self.dir), key=lambda entry: entry.name):
            if entry.name.startswith(layout.SAVING):
                self._fs.remove_tree(Path(entry.path))
            elif entry.name.startswith(layout.REPLACED):
                self._undo_or_finish_replacing(Path(entry.path))

    def _undo_or_finish_replacing(self, replaced: Path) -> None:
        current = self.dir / replaced.name.removeprefix(layout.REPLACED)
        if current.exists():
            self._fs.remove_tree(replaced)
        else:
            self._fs.rename(replaced, current)
            self._fs.sync_dir(self.dir)

    def commit(self, manifest: Manifest, files: Mapping[str, Sequence[Buffer]]) -> Path:
        """Write a snapshot and make it durable; fills in `manifest.files`.

        Args:
            manifest: what the snapshot says of itself.
            files: the pieces of each file, by path inside the snapshot.

        Returns:
            The directory of the snapshot.

        Raises:
            SnapshotSaveError: if anything fails; earlier snapshots are intact and nothing is left.
        """
        previous = self._previous_files()
        saving = (
            self.dir / f"{layout.SAVING}{layout.epoch_name(manifest.epoch)}-{uuid.uuid4().hex[:8]}"
        )
        try:
            manifest.files = {name: digest_of(pieces) for name, pieces in files.items()}
            self._write_all(saving, manifest, files, previous)
            return self._publish(saving, manifest.epoch)
        except OSError as error:
            self._discard(saving)
            raise SnapshotSaveError(
                f"{self.path(manifest.epoch)}: the snapshot could not be written: {error};"
                " earlier snapshots are intact"
            ) from error

    def _previous_files(self) -> dict[tuple[str, FileEntry], Path]:
        for epoch in reversed(self.epochs()):
            try:
                files = self.manifest(epoch).files
            except SnapshotCorruptError:
                continue
            return {(name, entry): self.path(epoch) / name for name, entry in files.items()}
        return {}

    def _write_all(
        self,
        saving: Path,
        manifest: Manifest,
        files: Mapping[str, Sequence[Buffer]],
        previous: Mapping[tuple[str, FileEntry], Path],
    ) -> None:
        self._fs.make_dir(saving)
        folders = sorted({str(Path(name).parent) for name in files} - {"."})
        folders = sorted({str(p) for f in folders for p in (Path(f), *Path(f).parents)} - {"."})
        for folder in folders:
            self._fs.make_dir(saving / folder)
        for name, pieces in files.items():
            twin = previous.get((name, manifest.files[name]))
            if twin is not None and _has_size(twin, manifest.files[name].bytes):
                self._fs.link(twin, saving / name)
            else:
                self._fs.write_file(saving / name, pieces)
        self._fs.write_file(saving / layout.MANIFEST, [manifest.to_bytes()])
        for folder in reversed(folders):
            self._fs.sync_dir(saving / folder)
        self._fs.sync_dir(saving)

    def _publish(self, saving: Path, epoch: int) -> Path:
        final = self.path(epoch)
        replaced = self.dir / f"{layout.REPLACED}{final.name}"
        if final.exists():
            if replaced.exists():
                self._fs.remove_tree(replaced)
            self._fs.rename(final, replaced)
        self._fs.rename(saving, final)
        self._fs.sync_dir(self.dir)
        if replaced.exists():
            self._fs.remove_tree(replaced)
        return final

    def _discard(self, saving: Path) -> None:
        try:
            self._fs.remove_tree(saving)
        except OSError:
            return  # swept when the store is opened next

    def remove(self, epochs: Iterable[int]) -> None:
        """Delete snapshots; a kill half-way leaves none that looks whole."""
        for epoch in epochs:
            doomed = (
                self.dir
                / f"{layout.SAVING}removed-{layout.epoch_name(epoch)}-{uuid.uuid4().hex[:8]}"
            )
            self._fs.rename(self.path(epoch), doomed)
            self._fs.remove_tree(doomed)

    def set_aside(self, epoch: int) -> Path:
        """Rename a snapshot that does not verify, so that it is neither used nor lost."""
        target = layout.free_name(self.dir, f"{layout.epoch_name(epoch)}.corrupt")
        self._fs.rename(self.path(epoch), target)
        self._fs.sync_dir(self.dir)
        return target

    def orphan_after(self, epoch: int) -> Path | None:
        """Move all snapshots later than `epoch` out of the way; return where to, or None.

        The newest goes first, so that whatever is newest at any moment belongs to one history.
        """
        later = [other for other in self.epochs() if other > epoch]
        if not later:
            return None
        orphans = layout.free_name(self.dir, "orphan")
        self._fs.make_dir(orphans)
        for other in reversed(later):
            self._fs.rename(self.path(other), orphans / layout.epoch_name(other))
            self._fs.sync_dir(self.dir)
        return orphans

    def problems(self, epoch: int) -> list[str]:
        """Return what is wrong with a snapshot, a sentence each; nothing if every digest holds."""
        return problems_of(self.path(epoch))

    def newest_good(self) -> int | None:
        """Return the newest epoch whose digests all hold, or None."""
        return next((e for e in reversed(self.epochs()) if not self.problems(e)), None)


def digest_of(pieces: Iterable[Buffer]) -> FileEntry:
    """Return size and digest of a file given in pieces."""
    digest, size = new_digest(), 0
    for piece in pieces:
        view = memoryview(piece).cast("B")
        size += len(view)
        digest.update(view)
    return FileEntry(bytes=size, blake2b=digest.hexdigest())


def read_file(snapshot: Path, name: str, entry: FileEntry) -> bytearray:
    """Read one file of a snapshot whole, and check it.

    Raises:
        SnapshotCorruptError: if it is missing or is not what the manifest says.
    """
    path = snapshot / name
    try:
        size = path.stat().st_size
        if size != entry.bytes:
            raise SnapshotCorruptError(f"{path}: expected {entry.bytes} bytes, found {size}")
        content = bytearray(entry.bytes)
        with open(path, "rb", buffering=0) as file:
            view = memoryview(content)
            while len(view) and (count := file.readinto(view[:PIECE])):
                view = view[count:]
    except OSError as error:
        raise SnapshotCorruptError(f"{path}: cannot be read: {error}") from error
    if digest_of([content]) != entry:
        raise SnapshotCorruptError(f"{path}: its content does not match its digest")
    return content


def problems_of(snapshot: Path) -> list[str]:
    """Check the manifest and every file of a snapshot; return what is wrong, a sentence each."""
    try:
        manifest = Manifest.read(snapshot)
    except (SnapshotCorruptError, ValueError) as error:
        return [str(error)]
    found = []
    for name, entry in manifest.files.items():
        try:
            read_file(snapshot, name, entry)
        except SnapshotCorruptError as error:
            found.append(str(error))
    return found


def resolve(path: str | os.PathLike[str]) -> tuple[SnapshotStore, list[int], Path | None]:
    """Find the snapshots that a path means.

    Returns:
        The store, the epochs that are meant, and the snapshot itself if the path is one whose
        directory has another name than an epoch's (a copy, say).

    Raises:
        SnapshotNotFoundError: if there are none; lists what was found.
    """
    given = Path(path)
    if not given.exists():
        raise SnapshotNotFoundError(
            f"{given}: no such directory; expected a run directory or a snapshot"
        )
    folder, epoch = layout.snapshots_dir_of(given)
    store = SnapshotStore(folder)
    if (given / layout.MANIFEST).is_file():
        return store, [] if epoch is None else [epoch], given
    epochs = store.epochs()
    if not epochs:
        raise SnapshotNotFoundError(
            f"{given}: no snapshot found there; {_inventory(given, folder)}"
        )
    return store, epochs, None


def _inventory(given: Path, folder: Path) -> str:
    if not given.is_dir():
        return "it is a file, expected a run directory"
    names = sorted(p.name for p in (folder if folder.is_dir() else given).iterdir())
    if not names:
        return "the directory is empty"
    listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"{folder if folder.is_dir() else given} holds {listed}"


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
