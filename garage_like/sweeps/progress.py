"""How far a trial's run has come."""

from __future__ import annotations

from pathlib import Path

from garage_like.errors import SnapshotError
from garage_like.runs.overview import newest_manifest
from garage_like.snapshot.disk.manifest import Manifest


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
