"""Heads: numbered, created and never overwritten, so that a reader sees all of one or nothing.

A head names the snapshots that there are. Who wants to write creates the next one with a new token;
whoever had the place before fails to create the next, and knows that it has been fenced off. What
it wrote until then lies in a folder of its own token and harms nobody. No clocks are compared.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath

from garage_like.errors import SnapshotError
from garage_like.snapshot.disk.digests import digest_of
from garage_like.snapshot.mirror.place import AlreadyThereError, NotThereError, Place

FOLDER = "head"
_TRIES = 8


class FencedError(SnapshotError):
    """Raise when another process has taken a place over."""


class OtherRunError(SnapshotError, ValueError):
    """Raise when a place holds the snapshots of another run."""


@dataclass(frozen=True)
class Head:
    """What a head says.

    Attributes:
        run: which run's snapshots these are; a name that no other run has.
        token: of the writer, counted up at each take-over.
        owner: who it is, for messages.
        epochs: key of each snapshot's index, by the name of its directory.
        writer: what tells the writer from any other, be it of the same process.
    """

    run: str
    token: int
    owner: str
    epochs: dict[str, str] = field(default_factory=dict)
    writer: str = ""


def newest_head(place: Place) -> tuple[Head | None, int]:
    """Return the newest head and its number; (None, 0) if there is none."""
    for number in _numbers(place):
        with contextlib.suppress(ValueError, TypeError, NotThereError):
            return _read(place, number), number
    return None, 0


def create_next(place: Place, head: Head, number: int) -> int:
    """Create the head after `number`; return its own.

    A create whose answer was lost may have been done: a head that is ours already is passed over.
    Some servers overwrite in spite of what is asked, hence a look before and after; between the
    two another writer may slip in on those, see docs/mirrors.md.

    Raises:
        FencedError: if another writer was there first.
    """
    text = json.dumps(asdict(head)).encode()
    text += b"\n" + digest_of([text]).blake2b.encode()
    for wanted in range(number + 1, number + 1 + _TRIES):
        try:
            if wanted in _numbers(place):
                raise AlreadyThereError
            place.create(_key(wanted), text)
        except AlreadyThereError:
            found = _read(place, wanted)
            if (found.token, found.writer) != (head.token, head.writer):
                raise FencedError(f"{place.url}: {found.owner} writes there now") from None
            continue
        numbers = _numbers(place)
        if numbers[0] > wanted:
            raise FencedError(f"{place.url}: another process writes there now")
        place.delete([_key(old) for old in numbers if old < wanted - 1])
        return wanted
    raise FencedError(f"{place.url}: no head is free")


def _numbers(place: Place) -> list[int]:
    """Return the numbers of the heads, the newest first."""
    names = (PurePosixPath(key).stem for key in place.keys(FOLDER))
    return sorted((int(name) for name in names if name.isdecimal()), reverse=True)


def _read(place: Place, number: int) -> Head:
    """Read a head; ValueError if it is not whole, as disks show a file that is being written."""
    text, _, digest = place.get(_key(number)).rpartition(b"\n")
    if digest_of([text]).blake2b.encode() != digest:
        raise ValueError(f"{place.url}/{_key(number)} is not whole")
    return Head(**json.loads(text))


def _key(number: int) -> str:
    return f"{FOLDER}/{number:012d}.json"
