"""LiveLog: columns of a log that grows, read on from where it was read before; thinned for a plot.

A curve of a million points is read once, and what is drawn of it has two points for each column of
pixels: the least and the largest, so that no peak is lost.
"""

from __future__ import annotations

import csv
import io
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from garage_like.errors import SnapshotCorruptError
from garage_like.files.log_table import (
    MAX_CHARACTERS,
    MAX_COLUMNS,
    cells_up_to,
    numbers_in,
    rows_of,
)
from garage_like.files.opening import opened
from garage_like.files.run_files import PROGRESS

MOST_POINTS = 4_000
_MOST_LOGS = 64
_AT_ONCE = 16 << 20
_TAIL = 256


@dataclass
class _Read:
    """What was read of one log."""

    identity: tuple[int, int] = (0, 0)
    names: list[str] = field(default_factory=list)
    offset: int = 0
    columns: dict[str, list[np.ndarray]] = field(default_factory=dict)
    tail: bytes = b""


class LiveLogs:
    """Read logs of runs, and remember them."""

    def __init__(self) -> None:
        self._logs: dict[Path, _Read] = {}
        self._lock = threading.Lock()

    def names(self, run: Path) -> list[str]:
        """Return the columns of a run's log; none if it has no log."""
        try:
            with self._lock:
                return list(self._read(run, ()).names)
        except SnapshotCorruptError:
            return []

    def column(self, run: Path, *names: str) -> list[np.ndarray]:
        """Return columns as they are now, float64, NaN where there is no number.

        Raises:
            SnapshotCorruptError: if there is no such log.
            KeyError: if it has no such column.
        """
        with self._lock:
            log = self._read(run, names)
            for name in names:
                if len(log.columns[name]) > 1:
                    log.columns[name] = [np.concatenate(log.columns[name])]
            found = [log.columns[name] for name in names]
            return [parts[0] if parts else np.zeros(0) for parts in found]

    def _read(self, run: Path, names: tuple[str, ...]) -> _Read:
        log = self._logs.pop(run, None) or _Read()
        with opened(run, PROGRESS) as file:
            status = os.fstat(file.fileno())
            identity = (status.st_dev, status.st_ino)
            file.seek(0)
            header, length = _header(file.read(MAX_CHARACTERS))
            is_other = log.identity != identity or log.names != header
            if is_other or not _goes_on(file, log) or not set(names) <= log.columns.keys():
                wanted = {*names, *(() if is_other else log.columns)}
                log = _Read(identity, header, length, {name: [] for name in wanted})
                for name in wanted:
                    if name not in header:
                        raise KeyError(name)
            file.seek(log.offset)
            while log.columns and (text := file.read(_AT_ONCE)):
                end = text.rfind(b"\n") + 1  # a row that is being written comes with the next look
                if not end:
                    break
                _append(log, text[:end])
                log.offset += end
                log.tail = text[max(0, end - _TAIL) : end]
                file.seek(log.offset)
        self._logs[run] = log
        while len(self._logs) > _MOST_LOGS:
            self._logs.pop(next(iter(self._logs)))
        return log


def _goes_on(file: IO[bytes], log: _Read) -> bool:
    """Tell whether what was read last is still there: a resume cuts the log, and writes on."""
    file.seek(log.offset - len(log.tail))
    return file.read(len(log.tail)) == log.tail


def _header(text: bytes) -> tuple[list[str], int]:
    end = text.find(b"\n") + 1
    if not end:
        return [], 0
    with cells_up_to(MAX_CHARACTERS):
        names = next(csv.reader([text[:end].decode("utf-8", "replace")]), [])
    return names[:MAX_COLUMNS], end


def _append(log: _Read, text: bytes) -> None:
    places = [log.names.index(name) for name in log.columns]
    lines = io.StringIO(text.decode("utf-8", "replace"), newline="")
    with cells_up_to(MAX_CHARACTERS):
        read = numbers_in(rows_of(lines, len(log.names)), places)
    for name, found in zip(log.columns, read, strict=True):
        log.columns[name].append(np.array(found))


def thinned(
    x: np.ndarray, y: np.ndarray, points: int, low: float | None = None, high: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return at most so many points of a curve, the least and the largest of each stretch.

    Args:
        x: shape (P,).
        y: shape (P,).
        points: at most.
        low: least x that is wanted; None for all.
        high: largest.
    """
    keep = np.isfinite(x) & np.isfinite(y)
    if low is not None:
        keep &= x >= low
    if high is not None:
        keep &= x <= high
    x, y = x[keep], y[keep]
    if np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    if len(x) <= points:
        return x, y
    buckets = max(points // 2, 1)
    size = -(-len(x) // buckets)
    padded = np.full(size * -(-len(x) // size), np.nan)
    padded[: len(y)] = y
    rows = padded.reshape(-1, size)
    least, largest = np.nanargmin(rows, axis=1), np.nanargmax(rows, axis=1)
    places = np.sort(np.stack([least, largest], axis=1), axis=1)
    places = np.unique((places + size * np.arange(len(rows))[:, None]).ravel())
    return x[places], y[places]
