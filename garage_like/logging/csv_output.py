"""CsvOutput: progress.csv, one row for each logged table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from garage_like.logging.csv_table import add_columns, format_cell, format_line, read_rows
from garage_like.logging.light_imports import FileOutput, TabularInput
from garage_like.logging.log_files import replace_content
from garage_like.logging.patient_file import UNKNOWN, PatientFile, warn_of_waiting


class CsvOutput(FileOutput):
    """Append a row for each table; columns stand in the order of their first appearance.

    Numbers are written so that they read back exactly. A new column is added at the right, and the
    rows before get an empty cell. A file that exists is continued, with its columns.

    Args:
        file_name: opened with the first row, so that it can be cut before.
    """

    # dowel's FileOutput opens and truncates in its constructor, so that is not called.
    def __init__(self, file_name: str | os.PathLike[str]) -> None:
        self._log_file: PatientFile | None = None
        self._late: list[dict[str, str]] = []
        self._path = Path(file_name)
        self._columns: list[str] = []

    @property
    def types_accepted(self) -> tuple[type, ...]:
        """Tables."""
        return (TabularInput,)

    def record(self, data: Any, prefix: str = "") -> None:
        """Write the numbers and strings of a table as a row."""
        values = data.as_primitive_dict
        self.write_row(values)
        for key in values:
            data.mark(key)

    def write_row(self, values: dict[str, Any]) -> None:
        """Write a row, which is on its way to the disk at once; one without values is left out."""
        cells = {key: text for key, value in values.items() if (text := format_cell(value))}
        if cells:
            self._late.append(cells)
        while self._late:
            try:
                self._write_cells(self._late[0])
            except OSError as error:
                if len(self._late) == 1:
                    warn_of_waiting(self._path, error)
                return  # no room for the file with another column, say: next time, perhaps
            del self._late[0]

    @property
    def num_waiting(self) -> int:
        """Bytes that could not be written yet; of whole rows that wait, more than any file has."""
        waiting = 0 if self._log_file is None else self._log_file.num_waiting
        return waiting + (UNKNOWN if self._late else 0)

    def _write_cells(self, cells: dict[str, str]) -> None:
        if self._log_file is not None and self._log_file.is_gone:
            self.close()
        file = self._log_file or self._open()
        new = [key for key in cells if key not in self._columns]
        title = b""
        if new and self._columns:
            file = self._rewrite_with(new)
        elif new:
            self._columns = new
            title = format_line(new)
        line = ",".join(cells.get(column, "") for column in self._columns) + "\n"
        file.write(title + line.encode("utf-8", errors="backslashreplace"))

    def _open(self) -> PatientFile:
        content = self._path.read_bytes() if self._path.exists() else b""
        rows = read_rows(content)
        self._columns = rows[0].cells if rows else []
        self._log_file = PatientFile(self._path, of_lines=True)
        return self._log_file

    def _rewrite_with(self, names: list[str]) -> PatientFile:
        if self._log_file is not None and self._log_file.num_waiting:
            self._log_file.write(b"")
            if self._log_file.num_waiting:
                raise OSError("rows before this one wait to be written")
        self.close()
        replace_content(self._path, add_columns(self._path.read_bytes(), names))
        return self._open()

    def dump(self, step: int | None = None) -> None:
        """Do nothing: every row was flushed."""

    def close(self) -> None:
        """Let go of the file; a later row opens it again, and reads its columns."""
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None
