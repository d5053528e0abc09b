"""A process that outlives a trainer, and ends what a Ray cluster of its leaves behind.

Ray ends most of what it started when the process that started it is killed; its agents stay for
minutes. All of them bear a mark in their environment. Run by its path, without this package, since
it is there to wait.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

_PATIENCE = 5.0
"""Seconds that Ray's processes have to end by themselves."""


def keep(lifeline: int, mark: bytes) -> None:
    """Wait for the trainer's end, then end all that bears the mark.

    Args:
        lifeline: file descriptor of a pipe that ends with the trainer, however that ends.
        mark: `NAME=VALUE`, of which there is no other.
    """
    os.read(lifeline, 1)
    until = time.monotonic() + _PATIENCE
    while marked := [process for process in _processes() if mark in _environment(process)]:
        for process in marked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM if time.monotonic() < until else signal.SIGKILL)
        time.sleep(0.1)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _environment(process: int) -> list[bytes]:
    """Return what a process was started with; nothing of one that is another user's, or dead."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return []


if __name__ == "__main__":
    keep(int(sys.argv[1]), sys.argv[2].encode())
