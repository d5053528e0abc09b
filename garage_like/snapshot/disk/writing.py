"""The files of one snapshot are written, or linked to where an earlier snapshot has the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from garage_like.snapshot.disk.filesystem import Buffer, FileSystem
from garage_like.snapshot.disk.layout import MANIFEST, SAVING
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.sources import Sources

Files = Mapping[str, Sequence[Buffer]]


def write_snapshot(
    filesystem: FileSystem, directory: Path, manifest: Manifest, files: Files, sources: Sources
) -> None:
    """Write all files of a snapshot into a new directory, the manifest last, and make them durable.

    Args:
        filesystem: what touches the disk.
        directory: to make.
        manifest: lists the files.
        files: the pieces of each file; those not among them are as in the snapshot before.
        sources: files of earlier snapshots.

    Raises:
        OSError: if something cannot be written.
        SnapshotCorruptError: if a file that has not changed is damaged wherever it lies.
    """
    filesystem.make_dir(directory)
    folders = _folders(manifest.files)
    for folder in folders:
        filesystem.make_dir(directory / folder)
    for name, entry in sorted(manifest.files.items()):
        same = sources.to_link(name, entry)
        if same is not None and _linked(filesystem, same, f"{directory}/{name}"):
            continue
        if name in files:
            filesystem.write_file(directory / name, files[name])
        else:
            filesystem.write_file(directory / name, sources.to_copy(name, entry))
    filesystem.write_file(directory / MANIFEST, [manifest.to_bytes()])
    for folder in (*reversed(folders), ""):
        filesystem.sync_dir(directory / folder)


def rewrite_manifest(filesystem: FileSystem, snapshot: Path, manifest: Manifest) -> None:
    """Have a snapshot say something else of itself; at each moment it says the one or the other."""
    beside = snapshot.with_name(f"{SAVING}{snapshot.name}-manifest")
    filesystem.make_dir(beside)  # what a kill leaves here is swept like any snapshot half written
    try:
        filesystem.write_file(beside / MANIFEST, [manifest.to_bytes()])
        filesystem.rename(beside / MANIFEST, snapshot / MANIFEST)
        filesystem.sync_dir(snapshot)
    finally:
        filesystem.remove_tree(beside)


def _folders(names: Iterable[str]) -> list[str]:
    """Return all folders above files, each after those above it."""
    folders: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(folders)


def _linked(filesystem: FileSystem, same: str, target: str) -> bool:
    try:
        filesystem.link(same, target)
    except OSError:
        return False  # a disk without hard links, or with too many to this file
    return True
