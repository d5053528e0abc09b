"""The parent's end of a worker that runs in a process of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import subprocess
import sys
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from garage_like.data.batches import EpisodeBatch
from garage_like.sampler.hands import WorkerDiedError, raise_told
from garage_like.sampler.parcels import Parcel, unpack
from garage_like.sampler.worker_process import Arena, Place

_PATIENCE = 5.0
"""Seconds that a worker has to end once it is told to."""


class ProcessLink:
    """Start a worker's process, and call it.

    Args:
        policies: the arena that policies' arrays are in.
    """

    def __init__(self, policies: Arena) -> None:
        self._results = Arena()
        ours, theirs = socket.socketpair()
        ends, lifeline = os.pipe()
        inherited = [theirs.fileno(), ends, policies.descriptor, self._results.descriptor]
        numbers = ", ".join(map(str, inherited))
        code = f"from garage_like.sampler.worker_process import main; main({numbers})"
        # The same modules as here; the user's script is not run again.
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=inherited,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        os.close(ends)
        self._connection = Connection(ours.detach())
        self._stop = weakref.finalize(
            self, _stop, self._process, self._connection, lifeline, self._results
        )

    def start(self, worker: Parcel, surroundings: dict[str, Any]) -> None:
        """Send the worker."""
        content, buffers = worker
        self._tell("start", (content, [bytes(buffer) for buffer in buffers]), surroundings)

    def send_policy(self, content: bytes | None, places: Sequence[Place]) -> None:
        """Send a policy, or the places of its arrays if nothing else of it has changed."""
        self._tell("policy", content, places)

    def ask(self, method: str, amount: int) -> None:
        """Let the worker collect."""
        self._tell("collect", method, amount)

    def answer(self) -> tuple[EpisodeBatch, Parcel]:
        """Wait for what was asked for: a batch, and what the worker has become.

        Raises:
            WorkerDiedError: if the process has gone.
            Exception: whatever was raised there.
        """
        try:
            content = self._connection.recv_bytes()
        except (EOFError, OSError) as gone:
            raise WorkerDiedError(self._last_words()) from gone
        error, *answer = pickle.loads(content)
        if error is not None:
            raise_told(content)
        (batch, places), (worker, more) = answer
        buffers = self._results.read([*places, *more])
        return unpack((batch, buffers[: len(places)])), (worker, buffers[len(places) :])

    def _tell(self, *message: Any) -> None:
        with contextlib.suppress(OSError):  # found out when the answer is awaited
            self._connection.send_bytes(pickle.dumps(message, protocol=5))

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"its process ended with status {self._process.wait(_PATIENCE)}"
        return "it closed its end"

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def stop(self) -> None:
        """End the process; the worker is lost."""
        self._stop()


def _stop(
    process: subprocess.Popen[bytes], connection: Connection, lifeline: int, results: Arena
) -> None:
    connection.close()
    os.close(lifeline)
    results.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
