"""A process that outlives a trainer, and ends what a Ray cluster of its leaves behind.

Ray ends most of what it started when the process that started it is killed; its agents stay for
minutes. What the trainer starts bears a mark in its environment. What that starts in turn is found
as its children, since a process that gives itself a title (Ray's agents do) writes it over the
first variables of its environment. Run by its path, without this package, since it is there to
wait.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 5.0
"""Seconds that Ray's processes have to end by themselves."""

_Known = dict[int, str]
"""Processes by id, each with the time at which it was started: an id may be given anew."""


def keep(lifeline: int, mark: bytes) -> None:
    """Wait for the trainer's end, then end all that bears the mark, and all that this started.

    Args:
        lifeline: file descriptor of a pipe that ends with the trainer, however that ends. A byte
            in it says that the cluster stands.
        mark: `NAME=VALUE`, of which there is no other.
    """
    known: _Known = {}
    while os.read(lifeline, 1):
        known = family(known, mark)
    until = time.monotonic() + _PATIENCE
    while known := family(known, mark):
        for process in known:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM if time.monotonic() < until else signal.SIGKILL)
        time.sleep(0.1)


def family(known: _Known, mark: bytes) -> _Known:
    """Return those known that live, all that are marked, and all that these have started."""
    living = {process: (parent, started) for process, parent, started in _living()}
    found = {
        process: started
        for process, (_, started) in living.items()
        if known.get(process) == started or mark in _environment(process)
    }
    while children := {
        process: started
        for process, (parent, started) in living.items()
        if parent in found and process not in found
    }:
        found |= children
    return found


def _living() -> Iterator[tuple[int, int, str]]:
    """Yield the id of each process that has not ended, its parent's, and when it was started."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, *rest = (path / "stat").read_text().rpartition(")")[2].split()
            if state not in "ZX":
                yield int(path.name), int(parent), rest[17]


def _environment(process: int) -> list[bytes]:
    """Return what a process was started with; nothing of one that is another user's, or dead."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return []


if __name__ == "__main__":
    keep(int(sys.argv[1]), sys.argv[2].encode())
