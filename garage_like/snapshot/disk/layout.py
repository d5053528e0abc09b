"""Names inside a run directory, and how to find snapshots from any path a user gives.

RUN/snapshots/epoch_000009/         a committed snapshot
RUN/snapshots/epoch_000009/pinned   an empty file: pruning leaves this snapshot alone
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
PINNED = "pinned"
OBJECTS = "objects.pkl"
TENSORS = "tensors"
TABLES = "tables"
SAVING = ".saving-"
REMOVING = f"{SAVING}removed-"
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


def epoch_of(snapshot: Path) -> int | None:
    """Return the epoch that the directory of a snapshot is named after, or None if after none."""
    return parse_epoch(snapshot.name.removeprefix(REPLACED))


def epochs_in(snapshots_dir: Path, *, replaced_too: bool = False) -> list[int]:
    """Return the epochs that have a manifest, in order; foreign files do not count.

    Args:
        snapshots_dir: holds a directory for each.
        replaced_too: count those that a kill left under the name of being replaced.
    """
    names: list[str] | None = None
    epochs: set[int] = set()
    while not epochs:
        before = names
        try:
            names = os.listdir(snapshots_dir)
        except (FileNotFoundError, NotADirectoryError):
            return []
        if before is not None and set(names) == set(before):
            return []  # else a run under way has pruned all that were listed
        for name in names:
            epoch = parse_epoch(name.removeprefix(REPLACED) if replaced_too else name)
            if epoch is not None and _has_manifest(snapshots_dir, name):
                epochs.add(epoch)
        if not any(name.startswith(("epoch_", REPLACED)) for name in names):
            break
    return sorted(epochs)


def _has_manifest(snapshots_dir: Path, name: str) -> bool:
    """Tell whether a snapshot that was listed is there.

    One that another of its epoch replaces at this moment bears its name, then that of being
    replaced, and then the other bears its name.
    """
    if os.path.isfile(f"{snapshots_dir}/{name}/{MANIFEST}"):
        return True
    bare = name.removeprefix(REPLACED)
    others = (f"{REPLACED}{bare}", bare)
    return any(os.path.isfile(f"{snapshots_dir}/{each}/{MANIFEST}") for each in others)


def snapshots_dir_of(path: str | os.PathLike[str]) -> tuple[Path, int | None]:
    """Find the snapshots directory that a path means.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.

    Returns:
        The directory that holds epoch directories, and the epoch if the path was one snapshot.
        That of a snapshot copied elsewhere under another name is the path itself, epoch None.
    """
    given = Path(path)
    if (given / SNAPSHOTS).is_dir():
        return given / SNAPSHOTS, None
    if (given / MANIFEST).is_file():
        return given.parent, parse_epoch(given.name)
    return given, None


class LinkedSnapshotsError(OSError, ValueError):
    """Raise when snapshots would be written or removed through a link, in another run perhaps."""


def refuse_link(snapshots_dir: Path) -> None:
    """Raise unless a run's folder of snapshots lies in the run itself, if there is one.

    Raises:
        LinkedSnapshotsError: if it is a link.
    """
    if snapshots_dir.is_symlink():
        raise LinkedSnapshotsError(
            f"{snapshots_dir}: a link to {os.readlink(snapshots_dir)}; nothing is removed through"
            " links, and nothing is written through it: resume or prune the run that the snapshots"
            " lie in, link the whole run directory, or say where the run goes on: another"
            " snapshot_dir, or --log-dir NEW"
        )


def free_name(parent: Path, stem: str) -> Path:
    """Return `parent/stem-N` for the smallest N from 1 that is not taken."""
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"


def identity(snapshot: Path) -> int | None:
    """Return what tells a snapshot's directory from any other of the same name; None if gone."""
    try:
        return os.stat(snapshot).st_ino
    except OSError:
        return None
