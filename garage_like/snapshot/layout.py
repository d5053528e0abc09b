"""Names inside a run directory, and how to find snapshots from any path a user gives.

RUN/snapshots/epoch_000009/         a committed snapshot
RUN/snapshots/.saving-…/            being written; swept at the next start
RUN/snapshots/.replaced-epoch_…/    the older of two snapshots of one epoch, about to go
RUN/snapshots/epoch_000009.corrupt-1/   set aside: its files did not match its manifest
RUN/snapshots/orphan-1/             snapshots of a future that a resume from earlier left behind
"""

import os
import re
from pathlib import Path

SNAPSHOTS = "snapshots"
MANIFEST = "manifest.json"
OBJECTS = "objects.pkl"
TENSORS = "tensors"
TABLES = "tables"
SAVING = ".saving-"
REPLACED = ".replaced-"
_EPOCH = re.compile(r"epoch_(\d{6,18})")


def epoch_name(epoch: int) -> str:
    """Return the directory name of an epoch's snapshot."""
    return f"epoch_{epoch:06d}"


def parse_epoch(name: str) -> int | None:
    """Return the epoch that a directory name stands for, or None if it stands for none."""
    match = _EPOCH.fullmatch(name)
    if match is None or epoch_name(int(match[1])) != name:
        return None
    return int(match[1])


def epochs_in(snapshots_dir: Path) -> list[int]:
    """Return the epochs that have a manifest, in order; foreign files do not count."""
    try:
        entries = list(os.scandir(snapshots_dir))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = (parse_epoch(entry.name) for entry in entries)
    return sorted(
        epoch
        for epoch in found
        if epoch is not None and (snapshots_dir / epoch_name(epoch) / MANIFEST).is_file()
    )


def snapshots_dir_of(path: str | os.PathLike[str]) -> tuple[Path, int | None]:
    """Find the snapshots directory that a path means.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.

    Returns:
        The directory that holds epoch directories, and the epoch if the path was one snapshot.
        That of a snapshot copied elsewhere under another name is the path itself, epoch None.
    """
    given = Path(path)
    if (given / MANIFEST).is_file():
        return given.parent, parse_epoch(given.name)
    if given.name != SNAPSHOTS and (given / SNAPSHOTS).is_dir():
        return given / SNAPSHOTS, None
    return given, None


def free_name(parent: Path, stem: str) -> Path:
    """Return `parent/stem-N` for the smallest N from 1 that is not taken."""
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"
