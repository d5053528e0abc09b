"""Cut log files back, and set aside what is cut off, so that a kill at any moment loses nothing.

Files: `<name>.orphan-N`, N counting from 1: bytes that a resumed run took off a log, or a whole log
that it found and did not continue. Event files lose the `.tfevents` of their name on the way, since
TensorBoard would read the orphan of any file that has it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from garage_like.errors import DirectoryError
from garage_like.files.run_files import find_json


def orphan_path(path: Path) -> Path:
    """Return the first `<name>.orphan-N` that does not exist."""
    name = path.name.replace(".tfevents", "")
    paths = (path.with_name(f"{name}.orphan-{n}") for n in itertools.count(1))
    return next(candidate for candidate in paths if not candidate.exists())


def set_aside(path: Path) -> Path:
    """Rename a file to its orphan's name, and return that."""
    orphan = orphan_path(path)
    path.rename(orphan)
    sync_path(path.parent)
    return orphan


def cut(path: Path, offset: int) -> Path | None:
    """Truncate a file; what is cut off is safe in an orphan before.

    Returns:
        The orphan, or None if nothing lay beyond `offset`.
    """
    if path.stat().st_size == offset:
        return None
    orphan = _copy_to_orphan(path, offset)
    with path.open("rb+") as file:
        file.truncate(offset)
        os.fsync(file.fileno())
    return orphan


def exchange(path: Path, content: bytes) -> Path:
    """Replace what a file holds; all of it is safe in an orphan, which is returned, before."""
    orphan = _copy_to_orphan(path, 0)
    replace_content(path, content)
    return orphan


def _copy_to_orphan(path: Path, offset: int) -> Path:
    orphan = orphan_path(path)
    draft = path.with_name(f".{orphan.name}.draft")
    draft.unlink(missing_ok=True)
    with path.open("rb") as source, draft.open("xb") as target:
        source.seek(offset)
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    draft.rename(orphan)
    sync_path(path.parent)
    return orphan


def make_directory(path: Path) -> None:
    """Make a directory and those above it; one that a link leads to, if it is gone.

    Raises:
        DirectoryError: if it cannot be made.
    """
    try:
        Path(os.path.realpath(path)).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        above = (path, *path.parents)
        file = next((place for place in above if place.exists() and not place.is_dir()), None)
        why = error.strerror or error if file is None else f"{file} is a file"
        made = DirectoryError(f"{path}: this directory cannot be made: {why}; give one that can be")
        made.errno = error.errno
        raise made from error


def check_replaceable(out: Path) -> None:
    """Raise unless a file may take this place: never that of a device, a pipe or a directory.

    Raises:
        DirectoryError: if something else is there, or no file can be made in the directory above.
    """
    make_directory(out.parent)
    try:
        is_free = bool(out.name) and (not out.exists() or out.is_file())
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        why = error.strerror or error
        raise DirectoryError(f"{out}: no file can be made there: {why}; give another") from error
    if not is_free:
        raise DirectoryError(f"{out}: expected a place for a file, and this is none")


def record_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write an object as JSON, unless the file says the same; another one is kept as an orphan."""
    text = (json.dumps(content, indent=2) + "\n").encode()
    if find_json(path) is None:
        replace_content(path, text)
    elif path.read_bytes() != text:
        exchange(path, text)


def replace_content(path: Path, content: bytes) -> None:
    """Write a file again: whoever looks finds the old content or the new, never a part."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)  # of a kill; or a link, which must not be written through
    with draft.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_path(path.parent)


def sync_path(path: Path) -> None:
    """Force a file, or the names in a directory, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
