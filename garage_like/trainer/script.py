"""What a run directory says of the script whose loop made it, so that it can be run again.

Files: `metadata.json` and `experiment.json`, as `wrap_experiment` writes them.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from garage_like.files.run_files import EXPERIMENT, METADATA, read_json
from garage_like.logging import logger
from garage_like.logging.log_files import make_directory, replace_content
from garage_like.snapshot.config import SnapshotConfig
from garage_like.trainer.launcher import Launcher
from garage_like.trainer.sources import edited_sources, record_sources


def record_script(config: SnapshotConfig) -> None:
    """Write down which script runs, unless an experiment did; a full disk does not end the run."""
    if config.saves_nothing:
        return
    for _, edited in edited_sources(config.run_dir):
        logger.log(f"Edited since the run was last started, and the new code runs: {edited}")
    if read_json(config.run_dir / EXPERIMENT):
        record_sources(config.run_dir)
        return
    launcher = Launcher.find()
    options = {name: getattr(config, name) for name in config.option_names()}
    experiment = {
        "function": None if launcher.path is None else launcher.path.stem,
        "module": "__main__",
        "options": options,
        "seed": None,
        "launcher": None if launcher.path is None else str(launcher.path),
        "launcher_dir": str(launcher.directory),
        "cwd": os.getcwd(),
        "module_paths": launcher.module_paths(),
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }
    try:
        make_directory(config.run_dir)
        for name, content in ((METADATA, launcher.metadata()), (EXPERIMENT, experiment)):
            replace_content(config.run_dir / name, _as_json(content))
        record_sources(config.run_dir)
    except OSError:
        return


def _as_json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
