"""The files of one snapshot are written, or linked to where the snapshot before has the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from garage_like.errors import SnapshotCorruptError
from garage_like.snapshot.digests import PIECE, FileEntry, check_file
from garage_like.snapshot.filesystem import Buffer, FileSystem
from garage_like.snapshot.layout import MANIFEST
from garage_like.snapshot.manifest import Manifest

Files = Mapping[str, Sequence[Buffer]]


@dataclass(frozen=True)
class Previous:
    """The snapshot before: what can be linked to.

    Attributes:
        path: its directory.
        manifest: what it says of itself.
        verified: whether this process wrote it, or has read and checked it.
    """

    path: Path
    manifest: Manifest
    verified: bool

    def twin(self, name: str, entry: FileEntry) -> Path | None:
        """Find a file with the same bytes.

        What was not verified is not believed but read: a link to a file that has rotted would be a
        new snapshot that is damaged from the start.
        """
        if self.manifest.files.get(name) != entry:
            return None
        if not self.verified:
            try:
                check_file(self.path, name, entry)
            except SnapshotCorruptError:
                return None
        return self.path / name


def write_snapshot(
    filesystem: FileSystem,
    directory: Path,
    manifest: Manifest,
    files: Files,
    previous: Previous | None,
) -> None:
    """Write all files of a snapshot into a new directory, the manifest last, and make them durable.

    Args:
        filesystem: what touches the disk.
        directory: to make.
        manifest: lists the files.
        files: the pieces of each file; those not among them are as in the snapshot before.
        previous: the snapshot before.

    Raises:
        OSError: if something cannot be written.
    """
    filesystem.make_dir(directory)
    folders = sorted({folder for name in manifest.files for folder in Path(name).parents})[1:]
    for folder in folders:
        filesystem.make_dir(directory / folder)
    for name, entry in manifest.files.items():
        twin = None if previous is None else previous.twin(name, entry)
        if twin is not None and _linked(filesystem, twin, directory / name):
            continue
        if name in files:
            filesystem.write_file(directory / name, files[name])
        else:
            _copy(filesystem, twin, directory / name)
    filesystem.write_file(directory / MANIFEST, [manifest.to_bytes()])
    for folder in (*reversed(folders), Path()):
        filesystem.sync_dir(directory / folder)


def _linked(filesystem: FileSystem, twin: Path, target: Path) -> bool:
    try:
        filesystem.link(twin, target)
    except OSError:
        return False  # a disk without hard links, or with too many to this file
    return True


def _copy(filesystem: FileSystem, twin: Path | None, target: Path) -> None:
    """Copy an unchanged file where it cannot be linked to."""
    if twin is None:
        raise FileNotFoundError(f"{target.name} of the snapshot before, which has not changed")
    with open(twin, "rb") as file:
        filesystem.write_file(target, iter(lambda: file.read(PIECE), b""))
