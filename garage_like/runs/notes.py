"""Tags and notes: what people say of a run, in a small file that no resume and no snapshot touches.

Files: `notes.json` in the run directory. It may be written while the run is being trained; a run
that came from elsewhere may hold anything there, so what is no tag is passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from garage_like.errors import SnapshotNotFoundError
from garage_like.files.run_files import EXPERIMENT, NOTES, read_json
from garage_like.snapshot.disk.layout import SNAPSHOTS

MAX_TAGS = 100
MAX_TAG = 64
MAX_NOTE = 10_000
_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Notes:
    """What people say of a run.

    Attributes:
        tags: short names, each once, in the order in which they were given.
        note: a text, or ''.
    """

    tags: tuple[str, ...] = ()
    note: str = ""


def read_notes(run: Path) -> Notes:
    """Return a run's tags and note; nothing where there are none."""
    found = read_json(run / NOTES)
    tags, note = found.get("tags"), found.get("note")
    good = (tag for tag in (tags if isinstance(tags, list) else ()) if _is_tag(tag))
    return Notes(
        tuple(dict.fromkeys(good))[:MAX_TAGS], note[:MAX_NOTE] if isinstance(note, str) else ""
    )


def change_tags(run: Path, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Notes:
    """Give a run tags, and take some from it.

    Args:
        run: its directory.
        add: new ones; those that it has stay where they are.
        remove: tags that go; those that it has not are passed over.

    Raises:
        SnapshotNotFoundError: if there is no such run.
        ValueError: if something is no tag, or there are too many.
    """
    add, remove = list(add), set(remove)
    for tag in add:
        if not _is_tag(tag):
            raise ValueError(
                f"{tag!r} is no tag: expected at most {MAX_TAG} characters that are seen, no comma"
                " and no space among them"
            )
    with _changing(run):
        was = read_notes(run)
        tags = tuple(tag for tag in dict.fromkeys([*was.tags, *add]) if tag not in remove)
        if len(tags) > MAX_TAGS:
            raise ValueError(f"{run}: {len(tags)} tags, expected at most {MAX_TAGS}")
        return _write(run, Notes(tags, was.note))


def set_note(run: Path, note: str) -> Notes:
    """Say something of a run in place of what was said; '' says nothing.

    Raises:
        SnapshotNotFoundError: if there is no such run.
        ValueError: if it is too long.
    """
    if len(note) > MAX_NOTE:
        raise ValueError(f"a note of {len(note)} characters, expected at most {MAX_NOTE}")
    with _changing(run):
        return _write(run, Notes(read_notes(run).tags, note))


def _is_tag(tag: object) -> bool:
    return (
        isinstance(tag, str)
        and 0 < len(tag) <= MAX_TAG
        and tag.isprintable()
        and not any(c.isspace() or c == "," for c in tag)
    )


def check_is_run(run: Path) -> None:
    """Raise SnapshotNotFoundError unless a directory is a run's."""
    if not ((run / EXPERIMENT).is_file() or (run / SNAPSHOTS).is_dir()):
        raise SnapshotNotFoundError(f"{run}: expected a run directory")


@contextmanager
def _changing(run: Path) -> Iterator[None]:
    """Keep two who change a run's notes at a time from losing what one of them says."""
    check_is_run(run)
    with FileLock(run / f".{NOTES}.lock", timeout=_LOCK_SECONDS):
        yield


def _write(run: Path, notes: Notes) -> Notes:
    draft = run / f".{NOTES}.draft"
    draft.unlink(missing_ok=True)  # a link that somebody left there is not followed
    with draft.open("x", encoding="utf-8") as file:
        file.write(json.dumps(asdict(notes), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(run / NOTES)
    return notes
