"""How far a trial's run has come, and how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotError
from garage_like.logging.log_files import replace_content
from garage_like.runs.overview import newest_manifest
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.sweeps.journal import as_json


def standing(run_dir: Path) -> Manifest | None:
    """Return the newest manifest of a run; None if it has saved nothing."""
    try:
        return newest_manifest(run_dir)[0] if run_dir.is_dir() else None
    except (OSError, SnapshotError):
        return None


def waits_after(run_dir: Path, n_epochs: int) -> bool:
    """Tell whether a run has saved so many epochs, and has more to do."""
    manifest = standing(run_dir)
    if manifest is None:
        return False
    done, wanted = manifest.epoch + 1, manifest.train_args.get("n_epochs")
    return done >= n_epochs and isinstance(wanted, int) and wanted > done


def has_ended_with(status: int) -> bool:
    """Tell whether an exit status is that of a trial which has ended: no signal has stopped it."""
    return 0 <= status < 128


def write_end(done: Path, **how: Any) -> None:
    """Say how a trial ended.

    Args:
        done: file that says it.
        **how: exit status, and whether the sweep has given it up.
    """
    replace_content(done, as_json(how))
