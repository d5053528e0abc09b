"""One writer per run directory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from garage_like.errors import RunLockedError, SnapshotSaveError
from garage_like.files.run_files import HOLDER, LOCK, read_json


class RunLock:
    """Hold a run directory against other processes; the system frees it when the holder dies."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._lock = FileLock(run_dir / LOCK)
        self._signature: dict[str, Any] = {}

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            RunLockedError: if another process has it; names that process.
            SnapshotSaveError: if nothing can be written there.
        """
        try:
            was_there = self._check_files()
            self._lock.acquire(timeout=0)
            if not was_there and self._is_held_by_another():
                self._lock.release()
                raise RunLockedError(
                    f"{self._run_dir}: its {LOCK} was deleted while another process wrote to this"
                    f" run ({self._holder()}); stop it, or remove {HOLDER} if it is another's"
                )
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

    def _check_files(self) -> bool:
        """Tell whether the lock's file is there; raise OSError if it is a link, pipe or device."""
        try:
            mode = os.lstat(self._run_dir / LOCK).st_mode
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(mode):
            raise OSError(f"{LOCK} is no plain file; remove it")
        return True

    def _is_held_by_another(self) -> bool:
        """Tell whether a living process signed: it holds a lock whose file was deleted."""
        holder = read_json(self._run_dir / HOLDER)
        pid = holder.get("pid")
        if holder.get("host") != socket.gethostname() or not isinstance(pid, int) or pid <= 0:
            return False
        if pid == os.getpid():
            return False
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (OSError, OverflowError):
            return False
        return True

    def _sign(self) -> None:
        """Say who holds the lock, for others' message; no link is written through.

        Containers may be called alike, and what runs there have equal numbers: a word tells them.
        """
        word = os.urandom(8).hex()
        self._signature = {"pid": os.getpid(), "host": socket.gethostname(), "word": word}
        path = self._run_dir / HOLDER
        path.unlink(missing_ok=True)
        with path.open("x") as file:
            file.write(json.dumps(self._signature))

    def check(self) -> None:
        """Make sure, before something is written, that the system has let nobody else in.

        A server of files may take a machine for dead that it cannot hear, and free its locks.

        Raises:
            RunLockedError: if another process has signed.
        """
        holder = read_json(self._run_dir / HOLDER)
        if _is_legible(holder) and holder != self._signature:
            raise RunLockedError(
                f"{self._run_dir}: another process writes to this run now ({self._holder()}), so"
                " this one has lost it and must not write any more; what it did since is discarded"
            )

    def release(self) -> None:
        """Give the lock back."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):  # a disk that is read-only by now, say
                (self._run_dir / HOLDER).unlink(missing_ok=True)
            self._lock.release()

    def _holder(self) -> str:
        holder = read_json(self._run_dir / HOLDER)
        if _is_legible(holder):
            return f"process {holder['pid']} on {holder['host']}"
        return "its process number is not known"


def _is_legible(holder: dict[str, Any]) -> bool:
    return isinstance(holder.get("pid"), int) and isinstance(holder.get("host"), str)
