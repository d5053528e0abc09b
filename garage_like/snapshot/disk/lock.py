"""One writer per run directory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from garage_like.errors import RunLockedError, SnapshotSaveError
from garage_like.snapshot.disk.run_files import HOLDER, LOCK


class RunLock:
    """Hold a run directory against other processes; the system frees it when the holder dies."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._lock = FileLock(run_dir / LOCK)

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            RunLockedError: if another process has it; names that process.
            SnapshotSaveError: if nothing can be written there.
        """
        try:
            self._lock.acquire(timeout=0)
            self._sign()
        except Timeout:
            raise RunLockedError(
                f"{self._run_dir}: another process is writing to this run ({self._holder()});"
                " stop it, or give this run a directory of its own"
            ) from None
        except OSError as error:
            self._lock.release()
            raise SnapshotSaveError(
                f"{self._run_dir}: nothing can be written to this run: {error}; make it writable,"
                " or give this run a directory of its own"
            ) from error

    def _sign(self) -> None:
        """Say who holds the lock, for the message that others get."""
        holder = {"pid": os.getpid(), "host": socket.gethostname()}
        (self._run_dir / HOLDER).write_text(json.dumps(holder))

    def release(self) -> None:
        """Give the lock back."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):  # a disk that is read-only by now, say
                (self._run_dir / HOLDER).unlink(missing_ok=True)
            self._lock.release()

    def _holder(self) -> str:
        try:
            holder = json.loads((self._run_dir / HOLDER).read_text())
            return f"process {holder['pid']} on {holder['host']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "its process number is not known"
