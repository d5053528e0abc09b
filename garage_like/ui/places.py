"""Places: what a name that a browser sends may mean: a run below the root, one of its snapshots.

A name must not lead out of the root, neither by `..` nor through a link, and a run whose snapshots
are links is not shown: what they lead to may be anything.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from garage_like.files.opening import leads_out
from garage_like.files.run_files import EXPERIMENT
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS, epoch_name, epochs_in, parse_epoch


class NotHereError(LookupError):
    """There is no such run, snapshot or file below the root."""


class Places:
    """The runs below a folder, by their path from there.

    Args:
        root: the folder; the run itself is called `.` if it is one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def name_of(self, run: str | os.PathLike[str]) -> str:
        """Return what the page calls a run."""
        return Path(run).relative_to(self.root).as_posix()

    def run(self, name: str) -> Path:
        """Return the directory of a run.

        Raises:
            NotHereError: if the name means none.
        """
        if name != "." and (leads_out(name) or "\\" in name):
            raise NotHereError(f"no run is called {name!r}")
        path = self.root
        for part in PurePosixPath(name).parts:
            path = path / part
            if not _is_folder(path):
                raise NotHereError(f"no run is called {name!r}")
        is_run = os.path.lexists(path / EXPERIMENT) or epochs_in(path / SNAPSHOTS)
        if not is_run or has_linked_snapshots(path):
            raise NotHereError(f"no run is called {name!r}")
        return path

    def snapshot(self, name: str, epoch: int) -> Path:
        """Return the directory of a snapshot.

        Raises:
            NotHereError: if there is none.
        """
        path = self.run(name) / SNAPSHOTS / epoch_name(epoch)
        if not _is_folder(path) or not (path / MANIFEST).is_file():
            raise NotHereError(f"{name} has no snapshot of epoch {epoch}")
        return path


def has_linked_snapshots(run: Path) -> bool:
    """Tell whether a run's snapshots, or one of them, are a link."""
    folder = run / SNAPSHOTS
    if not os.path.lexists(folder):
        return False
    if not _is_folder(folder):
        return True
    with os.scandir(folder) as entries:
        return any(e.is_symlink() and parse_epoch(e.name) is not None for e in entries)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
