"""Lease: a sign of life of who writes to a place; others are let in when it has stopped.

The writer writes a new word every few seconds. Who wants the place looks whether the word changes,
for a while by its own clock: no clocks are compared. The lease only keeps the living from being
disturbed; safe is what the head makes so. Whoever is let in has created a head with a token of its
own before, so that the one before cannot write any more, even if it was not dead but slow.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from dataclasses import replace

from garage_like.logging.notices import printable, say_aside
from garage_like.snapshot.mirror.heads import (
    FencedError,
    Head,
    OtherRunError,
    create_next,
    newest_head,
)
from garage_like.snapshot.mirror.place import NotThereError, Place

BEAT = 5.0
"""Seconds between two signs of life."""

LAPSE = 20.0
"""Seconds without one after which a writer is taken for dead."""

_DRAWN = uuid.uuid4().hex
_FOLDER = "lease"
_LOOKS = 20


class Lease:
    """Show that the writer of a place lives, from a thread of its own, until it is given back.

    Args:
        place: that is written to.
        token: of the writer.
    """

    def __init__(self, place: Place, token: int) -> None:
        self._place, self._token = place, token
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="mirror lease", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._is_over.is_set():
            with contextlib.suppress(Exception):  # a network that is away: the next may arrive
                show_life(self._place, self._token)
            self._is_over.wait(BEAT)

    def give_back(self, patience: float = BEAT) -> None:
        """Let others in at once.

        Args:
            patience: seconds that a request under way has to end.
        """
        self._is_over.set()
        self._thread.join(patience)
        with contextlib.suppress(Exception):
            self._place.delete([_key(self._token)])


def show_life(place: Place, token: int) -> None:
    """Write a sign of life."""
    place.put(_key(token), uuid.uuid4().hex.encode())


def claim(place: Place, run: str | None = None) -> tuple[Head, int]:
    """Become the writer of a place once nobody else lives there; whoever was is fenced off.

    Args:
        place: to write to.
        run: whose snapshots are to go there; None: of the one that lies there.

    Returns:
        The head that says so, and its number.

    Raises:
        FencedError: if another process writes there, or was quicker.
        OtherRunError: if the place holds another run.
    """
    head, number = newest_head(place)
    if head is None:
        head = Head(run or uuid.uuid4().hex, 0, "")
    elif run is not None and head.run != run:
        raise OtherRunError(
            f"{place.url} holds the snapshots of another run, of {head.owner}; choose another URL,"
            " or `garage-like pull` it and go on with that run"
        )
    ours = f"process {os.getpid()} on {os.uname().nodename}"
    if head.writer.rpartition(".")[0] != _this_process():
        _wait_for_silence(place, head)
    writer = f"{_this_process()}.{uuid.uuid4().hex}"
    claimed = replace(head, token=head.token + 1, owner=ours, writer=writer)
    number = create_next(place, claimed, number)
    place.delete([key for key in place.keys(_FOLDER) if key != _key(claimed.token)])
    return claimed, number


def _this_process() -> str:
    """Return what tells this process from any other, those of like containers included.

    Like containers have one name and number their processes alike; a child by fork shares what was
    drawn.
    """
    return f"{_DRAWN}.{os.getpid()}"


def _wait_for_silence(place: Place, head: Head) -> None:
    word = _word(place, head.token)
    if word is not None:
        say_aside(
            printable(
                f"{place.url}: {head.owner} wrote there last and has not said that it ended;"
                f" waiting {LAPSE:g} seconds for a sign that it lives"
            )
        )
    until = time.monotonic() + LAPSE
    while word is not None and time.monotonic() < until:
        time.sleep(LAPSE / _LOOKS)
        newer = _word(place, head.token)
        if newer not in (word, None):
            raise FencedError(
                f"{place.url}: {head.owner} lives, and writes there; stop it, or choose another URL"
            )
        word = newer


def _word(place: Place, token: int) -> bytes | None:
    try:
        return place.get(_key(token))
    except NotThereError:
        return None


def _key(token: int) -> str:
    return f"{_FOLDER}/{token}"
