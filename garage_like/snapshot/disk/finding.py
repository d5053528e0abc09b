"""Which snapshots a path means: that of a run directory, of its snapshots, or of one of them."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot.disk import layout
from garage_like.snapshot.disk.store import SnapshotStore


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
            f"{given}: no such directory; expected a run directory or a snapshot; {_near(given)}"
        )
    given = given.absolute()
    folder, epoch = layout.snapshots_dir_of(given)
    store = SnapshotStore(folder)
    if folder == given.parent:
        return store, [] if epoch is None else [epoch], given
    epochs = store.epochs()
    if not epochs:
        _refuse_garages(given)
        raise SnapshotNotFoundError(
            f"{given}: no snapshot found there; looked for"
            f" {layout.SNAPSHOTS}/epoch_*/{layout.MANIFEST}; {_inventory(given, folder)}"
        )
    return store, epochs, None


def _refuse_garages(given: Path) -> None:
    """Raise if a directory is one of garage's, which holds pickles of its classes."""
    pickles = sorted(
        path.name for pattern in ("params.pkl", "itr_*.pkl") for path in given.glob(pattern)
    )
    if pickles:
        raise SnapshotNotFoundError(
            f"{given}: {pickles[0]} is garage's, a pickle of garage's classes, which cannot be read"
            " without garage. Load it there, save the weights (torch.save(policy.state_dict(),"
            " 'policy.pt')), and take those over with"
            " garage_like.interop.migrate(policy, 'policy.pt')"
        )


def _near(missing: Path) -> str:
    """Say what is there instead: in the nearest directory that exists, what is spelt like it."""
    parts = missing.absolute()
    wanted = parts.name
    while not parts.parent.is_dir():
        parts = parts.parent
        wanted = parts.name
    try:
        names = sorted(path.name for path in parts.parent.iterdir())
    except OSError as error:
        return f"{parts.parent} cannot be read: {error}"
    alike = difflib.get_close_matches(wanted, names, n=3)
    if alike:
        return f"did you mean {' or '.join(str(parts.parent / name) for name in alike)}?"
    return f"{parts.parent} {_listed(names)}"


def _inventory(given: Path, folder: Path) -> str:
    if not given.is_dir():
        return "it is a file, expected a run directory"
    names = sorted(p.name for p in (folder if folder.is_dir() else given).iterdir())
    if not names:
        return "the directory is empty"
    return f"{folder if folder.is_dir() else given} {_listed(names)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"holds {', '.join(names[:10])}{more}" if names else "is empty"
