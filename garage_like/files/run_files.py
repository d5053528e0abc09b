"""The files of a run directory: the name of each, and the one guarded way to read them.

A run directory may be of any origin. A pipe must not keep the reader waiting, a link must not lead
out of the run, and a file is measured before it is parsed.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from garage_like.errors import SnapshotCorruptError
from garage_like.files.guarded_json import MAX_BYTES, parse_object
from garage_like.files.opening import opened, read_content

MAX_RUN_VALUES = 100_000
"""Of the files beside the snapshots: commands show them whole."""

EXPERIMENT = "experiment.json"
VARIANT = "variant.json"
METADATA = "metadata.json"
CONFIGURATION = "configuration.json"
PROGRESS = "progress.csv"
PROGRESS_LINES = "progress.jsonl"
DEBUG_LOG = "debug.log"
SOURCES = "sources.json"
NOTES = "notes.json"
TRACKERS = "trackers.json"
VIDEOS = "videos"
LAUNCH_ARCHIVE = "launch_archive.tar.xz"
CACHE = "cache"
LOCK = ".lock"
HOLDER = ".lock-holder.json"


def find_json(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the object that a JSON file holds; None if there is no such file, or no object."""
    try:
        folder, name = os.path.split(path)
        content = read_content(folder or ".", name, MAX_BYTES)
        return parse_object(content, max_values=MAX_RUN_VALUES)
    except (SnapshotCorruptError, ValueError):
        return None


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the object that a JSON file holds; an empty one if there is none."""
    return find_json(path) or {}


def recorded_options(run_dir: Path) -> dict[str, Any]:
    """Return the options that an experiment wrote down; nothing if there are none."""
    options = read_json(run_dir / EXPERIMENT).get("options")
    return options if isinstance(options, dict) else {}


def is_plain(path: Path) -> bool:
    """Tell whether there is a plain file, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def copy_file(source: Path, target: Path) -> None:
    """Copy a small plain file; nothing if there is no such file, or it is a link or a device."""
    with contextlib.suppress(SnapshotCorruptError):
        content = read_content(source.parent, source.name, MAX_BYTES)
        if len(content) <= MAX_BYTES:
            target.write_bytes(content)


@contextlib.contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a plain file of text, line ends as they are.

    Raises:
        SnapshotCorruptError: if there is no such file, or it is a link, a pipe or a device.
    """
    with opened(path.parent, path.name) as file:
        yield io.TextIOWrapper(
            io.BufferedReader(file), encoding="utf-8", errors="replace", newline=""
        )
