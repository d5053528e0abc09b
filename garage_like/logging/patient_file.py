"""PatientFile: what cannot be written to a log now, a disk being full, waits and is written later.

A log that fails must not end training. A line that waits is in no snapshot's log until it is
written: see `RunLogs.sync`.
"""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path

_CAN_WAIT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def can_wait(error: OSError) -> bool:
    """Tell whether what failed may succeed later: once there is room, or the disk is back."""
    return error.errno in _CAN_WAIT


def warn_of_waiting(path: Path, error: OSError) -> None:
    """Warn that a log cannot be written at the moment."""
    from garage_like.logging.light_imports import LoggerWarning

    message = f"{path}: the log cannot be written, its lines wait: {error}"
    warnings.warn(message, LoggerWarning, stacklevel=6)


class PatientFile:
    """Append bytes to a file, in order.

    Args:
        path: of the file; made if need be.
        begins_anew: fail if there is one.

    Raises:
        FileExistsError: if there is one, and it was to begin anew.
    """

    def __init__(self, path: str | os.PathLike[str], *, begins_anew: bool = False) -> None:
        self.path = Path(path)
        self._flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_EXCL if begins_anew else 0)
        self._descriptor: int | None = None
        self._waiting = bytearray()
        self._has_warned = False
        try:
            self._open()
        except OSError as error:
            if not can_wait(error):
                raise

    @property
    def num_waiting(self) -> int:
        """Bytes that could not be written yet."""
        return len(self._waiting)

    def write(self, content: bytes) -> None:
        """Append bytes, and those that waited before them; what fails waits.

        Warns:
            LoggerWarning: if the file cannot be written to; once until it can again.
        """
        self._waiting += content
        try:
            self._write_waiting()
        except OSError as error:
            if not can_wait(error):
                raise
            if not self._has_warned:
                warn_of_waiting(self.path, error)
            self._has_warned = True
        else:
            self._has_warned = False

    def _write_waiting(self) -> None:
        while self._waiting:
            count = os.write(self._open(), self._waiting)
            del self._waiting[:count]

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, self._flags, 0o666)
            self._flags &= ~os.O_EXCL
        return self._descriptor

    def close(self) -> None:
        """Try to write what waits, and let go of the file."""
        if self._waiting:
            self.write(b"")
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
