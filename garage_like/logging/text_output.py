"""TextOutput: debug.log, a time-stamped line for each message, and every table."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from garage_like.logging.light_imports import FileOutput, TabularInput
from garage_like.logging.patient_file import PatientFile
from garage_like.logging.plain_text import stamped, table_text


class TextOutput(FileOutput):
    """Append messages and tables to a text file; each is on its way to the disk at once.

    Args:
        file_name: opened with the first message, so that it can be cut before.
    """

    # dowel's FileOutput opens and truncates in its constructor, so that is not called.
    def __init__(self, file_name: str | os.PathLike[str]) -> None:
        self._log_file: PatientFile | None = None
        self._path = Path(file_name)

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Messages and tables."""
        return (str, TabularInput)

    def record(self, data: Any, prefix: str = "") -> None:
        """Write a message, stamped with the time, or a table."""
        if isinstance(data, str):
            self.write_line(stamped(prefix + data, time.time()))
        else:
            self.write_line(table_text(data.as_primitive_dict))
            data.mark_str()

    def write_line(self, line: str) -> None:
        """Write whole lines as they are."""
        if self._log_file is not None and self._log_file.is_gone:
            self.close()
        if self._log_file is None:
            self._log_file = PatientFile(self._path, of_lines=True)
        self._log_file.write((line + "\n").encode("utf-8", errors="backslashreplace"))

    @property
    def num_waiting(self) -> int:
        """Bytes that could not be written yet."""
        return 0 if self._log_file is None else self._log_file.num_waiting

    def dump(self, step: int | None = None) -> None:
        """Do nothing: every line was flushed."""

    def close(self) -> None:
        """Let go of the file; a later line opens it again."""
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None
