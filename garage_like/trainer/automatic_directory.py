"""A run directory for a Trainer that was given none: named by algorithm, environment and time."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from garage_like.logging.log_files import make_directory
from garage_like.snapshot.config import SnapshotConfig

PARENT = Path("data") / "local" / "experiment"


def with_directory(config: SnapshotConfig, algo: Any, env: str) -> SnapshotConfig:
    """Return a configuration with a new directory, which is made here.

    Args:
        config: without a `snapshot_dir`.
        algo: its class is part of the name.
        env: name of the environment, or '' if there is none.
    """
    parts = [type(algo).__name__, env, time.strftime("%Y-%m-%d_%H-%M-%S")]
    name = re.sub(r"[^\w.\-]+", "_", "_".join(filter(None, parts)))
    make_directory(PARENT)
    for number in itertools.count():
        directory = PARENT / (f"{name}_{number}" if number else name)
        try:
            directory.mkdir()
        except FileExistsError:
            continue
        return replace(config, snapshot_dir=directory)
    raise AssertionError("unreachable")
