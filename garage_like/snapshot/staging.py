"""Staging: memory that captures are copied into, used again from capture to capture.

Fresh memory costs more than the copy itself: the system hands it out page by page, zeroed. Four
captures exist at most (written, waiting, held and being taken, one each), so the pool holds at most
eight times the bytes of the largest capture, and four times where captures are alike.
Large objects that can be copied as a whole, simulations say, are copied beside it: each into a
twin of its own in each of the four.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

CHUNK = 1 << 20


class Staging:
    """The memory of one capture: chunks that grow as needed and are kept.

    Attributes:
        twins: copies of large objects that are captured.
    """

    def __init__(self) -> None:
        self.twins: list[Any] = []
        self._chunks: list[np.ndarray] = []
        self._chunk = 0
        self._used = 0
        self._copied = 0

    @property
    def nbytes(self) -> int:
        """Bytes reserved, used or not."""
        return sum(chunk.nbytes for chunk in self._chunks)

    def copy(self, content: np.ndarray) -> np.ndarray:
        """Copy bytes in; return where they are now.

        Args:
            content: shape (bytes,), uint8.
        """
        target = self._reserve(content.nbytes)
        self._copied += content.nbytes
        np.copyto(target, content)
        return target

    def _reserve(self, nbytes: int) -> np.ndarray:
        while self._chunk < len(self._chunks):
            chunk = self._chunks[self._chunk]
            if self._used + nbytes <= chunk.nbytes:
                start, self._used = self._used, self._used + -(-nbytes // 64) * 64
                return chunk[start : start + nbytes]
            self._chunk, self._used = self._chunk + 1, 0
        self._chunks.append(np.empty(max(CHUNK, nbytes), np.uint8))
        return self._reserve(nbytes)

    def clear(self) -> None:
        """Make room for the next capture; what was copied in is given up."""
        if self.nbytes > 2 * self._copied + CHUNK:
            self._chunks = []
        self._chunk = self._used = self._copied = 0


class StagingPool:
    """Stagings that are not in use."""

    def __init__(self) -> None:
        self._free: list[Staging] = []
        self._lock = threading.Lock()

    def take(self) -> Staging:
        """Return a staging with nothing in it."""
        with self._lock:
            return self._free.pop() if self._free else Staging()

    def give_back(self, staging: Staging) -> None:
        """Take a staging back whose capture has been written or given up."""
        staging.clear()
        with self._lock:
            self._free.append(staging)
