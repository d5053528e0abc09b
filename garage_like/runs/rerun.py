"""Running a script again: the way on for a loop that is the script's own.

Reads: `experiment.json` and `metadata.json`, for the script, its arguments, its folders.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from garage_like.errors import SnapshotMismatchError
from garage_like.files.run_files import EXPERIMENT, METADATA, read_json
from garage_like.snapshot.imposed import imposing

SCRIPT_LOOP = "garage_like.trainer.epochs.ScriptLoop"


def run_script_again(
    origin: Path, options: Mapping[str, Any], wanted: Mapping[str, Any] | None = None
) -> None:
    """Run the script of a run as it was run, with other options for its first run.

    Args:
        origin: the run directory.
        options: that are imposed, `log_dir` among them.
        wanted: of `epochs`: what is restored, and how many epochs.

    Raises:
        SnapshotMismatchError: if the script is not there any more.
    """
    experiment = read_json(origin / EXPERIMENT)
    script = experiment.get("launcher")
    if not isinstance(script, str) or not Path(script).is_file():
        raise SnapshotMismatchError(
            f"{origin}: its loop is that of a script, {script or 'which is not recorded'}, and that"
            " is not here; start the script yourself, it goes on where the run was"
        )
    argv = read_json(origin / METADATA).get("argv")
    arguments = argv[1:] if isinstance(argv, list) else []
    with _as_it_was(experiment, script, arguments), imposing(options, wanted):
        runpy.run_path(script, run_name="__main__")


@contextlib.contextmanager
def _as_it_was(experiment: Mapping[str, Any], script: str, arguments: list[str]) -> Iterator[None]:
    """Stand where the script was started, with its arguments, and import what it could."""
    before = sys.argv, sys.path[:], os.getcwd()
    folders = [str(Path(script).parent), *experiment.get("module_paths", [])]
    sys.argv = [script, *map(str, arguments)]
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    with contextlib.suppress(OSError, TypeError):
        os.chdir(experiment["cwd"])
    try:
        yield
    finally:
        sys.argv, sys.path[:] = before[0], before[1]
        os.chdir(before[2])
