"""What the tests of this room compare of two runs: bits and rows."""

import csv
from pathlib import Path

import numpy as np

from garage_like.snapshot import read_snapshot


def arrays(run_dir: Path) -> dict[str, bytes]:
    """Return the bits of every array that the last snapshot holds."""
    snapshot = read_snapshot(run_dir)
    return {
        f"{component}.{name}": np.ascontiguousarray(array).tobytes()
        for component in snapshot.components
        for name, array in snapshot.tensors(component).items()
    }


def rows(run_dir: Path) -> list[dict[str, str]]:
    """Return the rows of the log, without how long anything took."""
    with (run_dir / "progress.csv").open(newline="") as lines:
        return [
            {key: value for key, value in row.items() if "Time" not in key}
            for row in csv.DictReader(lines)
        ]
