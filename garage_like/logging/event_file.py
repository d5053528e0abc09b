"""EventFile: a TensorBoard event file, written at once and in order.

tensorboardX writes from a thread behind a queue, so its files have no length that can be relied on.
This one has, after each event, and so it can be cut back to where it was.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

from garage_like.logging.light_imports import load_tensorboardx
from garage_like.logging.patient_file import PatientFile

_PREFIX = "events.out.tfevents."
# Marks the files that are ours, and not those that a user's own writer puts beside them.
_SUFFIX = ".run"


def list_event_files(directory: str | os.PathLike[str]) -> list[Path]:
    """Return the run's event files in the order in which they were begun."""
    return sorted(Path(directory).glob(f"{_PREFIX}*{_SUFFIX}"))


def _seconds_in_name(path: Path) -> int:
    digits = path.name.removeprefix(_PREFIX).partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


class EventFile:
    """Append events to a new file of their own.

    The seconds in its name are those of the clock, or one more than the latest in the directory:
    TensorBoard reads files in the order of their names.

    Args:
        directory: exists.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._proto = load_tensorboardx().proto.event_pb2
        self._checksum = load_tensorboardx().record_writer.masked_crc32c
        latest = max(map(_seconds_in_name, list_event_files(directory)), default=0)
        seconds = max(int(time.time()), latest + 1)
        self.path = Path(directory) / f"{_PREFIX}{seconds:010d}.{socket.gethostname()}{_SUFFIX}"
        self._file = PatientFile(self.path, begins_anew=True)
        self._write(self._proto.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add_summary(self, summary: Any, step: int | None = None) -> None:
        """Write a `tensorboardX.proto.summary_pb2.Summary` as the event of a step."""
        self.add_event(self._proto.Event(step=step, summary=summary))

    def add_event(self, event: Any) -> None:
        """Write a `tensorboardX.proto.event_pb2.Event`, as of now unless it says when."""
        if not event.wall_time:
            event.wall_time = time.time()
        self._write(event)

    def _write(self, event: Any) -> None:
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        self._file.write(
            length
            + struct.pack("<I", self._checksum(length))
            + data
            + struct.pack("<I", self._checksum(data))
        )

    @property
    def num_waiting(self) -> int:
        """Bytes that could not be written yet."""
        return self._file.num_waiting

    @property
    def is_gone(self) -> bool:
        """Whether it was moved or removed."""
        return self._file.is_gone

    def close(self) -> None:
        """Close the file."""
        self._file.close()
