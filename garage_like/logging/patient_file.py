"""PatientFile: what cannot be written to a log now, a disk being full, waits and is written later.

A log that fails must not end training, whatever the error of the disk is. A line that waits is in
no snapshot's log until it is written: see `RunLogs.sync`.
"""

from __future__ import annotations

import os
from pathlib import Path

from garage_like.logging.notices import warn

UNKNOWN = 1 << 60
"""Bytes that wait, where it cannot be told how many: more than any file has."""


def warn_of_waiting(path: Path, error: OSError) -> None:
    """Warn that a log cannot be written at the moment."""
    from garage_like.logging.light_imports import LoggerWarning

    message = f"{path}: the log cannot be written, its lines wait: {error}"
    warn(message, LoggerWarning, stacklevel=6)


class PatientFile:
    """Append bytes to a file, in order.

    Args:
        path: of the file; made if need be, with the directories above.
        begins_anew: fail if there is one.
        of_lines: what is written begins a line, even if the file ends in the middle of one.

    Raises:
        FileExistsError: if there is one, and it was to start over.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, begins_anew: bool = False, of_lines: bool = False
    ) -> None:
        self.path = Path(path)
        self._flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_EXCL if begins_anew else 0)
        self._of_lines = of_lines
        self._descriptor: int | None = None
        self._opened: os.stat_result | None = None
        self._waiting = bytearray()
        self._has_warned = False
        try:
            self._open()
        except FileExistsError:
            if begins_anew:
                raise
        except OSError:
            pass  # the first write tries again, and warns

    @property
    def num_waiting(self) -> int:
        """Bytes that could not be written yet."""
        return len(self._waiting)

    @property
    def is_gone(self) -> bool:
        """Whether another file lies at the path by now, or none: it was moved or removed."""
        if self._opened is None:
            return False
        try:
            there = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False  # a disk that does not answer
        return not os.path.samestat(self._opened, there)

    def write(self, content: bytes) -> None:
        """Append bytes, and those that waited before them; what fails waits.

        Warns:
            LoggerWarning: if the file cannot be written to; once until it can again.
        """
        self._waiting += content
        try:
            self._write_waiting()
        except OSError as error:
            if not self._has_warned:
                warn_of_waiting(self.path, error)
            self._has_warned = True
            self._let_go()  # a disk that comes back may not know the descriptor any more
        else:
            self._has_warned = False

    def _write_waiting(self) -> None:
        while self._waiting:
            count = os.write(self._open(), self._waiting)
            del self._waiting[:count]

    def _open(self) -> int:
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._of_lines and not ends_a_line(self.path):
                self._waiting[:0] = b"\n"
            self._of_lines = False
            self._descriptor = os.open(self.path, self._flags, 0o666)
            self._flags &= ~os.O_EXCL
            self._opened = os.fstat(self._descriptor)
        return self._descriptor

    def close(self) -> None:
        """Try to write what waits, and let go of the file."""
        if self._waiting:
            self.write(b"")
        self._let_go()

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                os.close(descriptor)
            except OSError as error:  # network disks tell only now what they could not keep
                warn_of_waiting(self.path, error)


def ends_a_line(path: Path, offset: int | None = None) -> bool:
    """Tell whether a line ends just before `offset`, or at the end; no file has none unfinished."""
    if offset == 0 or not path.exists():
        return True
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END) if offset is None else offset
        if end == 0:
            return True
        file.seek(end - 1)
        return file.read(1) == b"\n"
