"""The process of one worker: it waits for calls, and sends home what came of each.

Started by `process_link`, which holds the other ends. Nothing here outlives the parent: a pipe that
only the parent holds open ends with it, however it ends.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import tempfile
import threading
import traceback
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from garage_like import seeding
from garage_like.sampler.parcels import (
    Buffer,
    Parcel,
    digest,
    pack,
    pack_worker,
    shared_state,
    unpack,
    unpack_worker,
)
from garage_like.sampler.worker import Worker
from garage_like.snapshot.kinds.registry import KINDS

_ALIGNMENT = 64
_SMALLEST = 1 << 16
_PARENTS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")

Place = tuple[int, int]
"""Where bytes lie in an arena: first byte and size."""


class Arena:
    """Memory that two processes share: a file without a name, so that no kill leaves it behind.

    Args:
        descriptor: of an arena that the other process made; None makes one.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _nameless_file() if descriptor is None else descriptor
        self._map: mmap.mmap | None = None

    def write(self, buffers: Iterable[Buffer]) -> list[Place]:
        """Put bytes side by side over what was there; return where each lies."""
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        places, end = [], 0
        for view in views:
            places.append((end, view.nbytes))
            end += -(-view.nbytes // _ALIGNMENT) * _ALIGNMENT
        memory = self._memory(end)
        for (start, size), view in zip(places, views, strict=True):
            memory[start : start + size] = view
        return places

    def read(self, places: Sequence[Place]) -> list[bytes]:
        """Copy bytes out."""
        memory = self._memory(max((start + size for start, size in places), default=0))
        return [bytes(memory[start : start + size]) for start, size in places]

    def _memory(self, size: int) -> memoryview:
        if self._map is None or len(self._map) < size:
            if os.fstat(self.descriptor).st_size < max(size, 1):
                os.ftruncate(self.descriptor, max(_SMALLEST, 1 << size.bit_length()))
            self._map = mmap.mmap(self.descriptor, os.fstat(self.descriptor).st_size)
        return memoryview(self._map)

    def close(self) -> None:
        """Let go of the memory."""
        self._map = None
        os.close(self.descriptor)


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("garage_like")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Hands:
    """Hold the worker, and do what it is told."""

    _worker: Worker
    _policy: bytes
    _sent: str

    def start(self, worker: Parcel, surroundings: dict[str, Any]) -> None:
        """Take a worker over."""
        seeding.restore_seed_state(surroundings["seed_state"])
        self._worker = unpack_worker(worker)
        for kind in KINDS:
            if surroundings["settings"].get(kind.name):
                kind.set_settings(surroundings["settings"][kind.name])

    def take_policy(self, content: bytes | None, buffers: Sequence[Buffer]) -> None:
        """Act by a policy from now on; None: by the one there is, with other numbers."""
        self._policy = self._policy if content is None else content
        policy = unpack((self._policy, buffers))
        self._sent = digest(pack(policy))
        self._worker.update_agent(policy)

    def collect(self, method: str, amount: int) -> tuple[Parcel, Parcel]:
        """Collect, and return the batch and what the worker has become.

        Raises:
            RuntimeError: if something changed that workers elsewhere do not share.
        """
        self._worker.exec_times()  # of this call alone
        moved = shared_state()
        batch = getattr(self._worker, method)(amount)
        generator = moved()
        if generator is not None:
            raise RuntimeError(
                f"{generator}: the environment or the policy draws from this generator of the whole"
                " process, of which each worker elsewhere has one of its own; draw from"
                " `self.np_random`, or use LocalSampler"
            )
        if digest(pack(self._worker._agent)) != self._sent:
            raise RuntimeError(
                f"{type(self._worker._agent).__name__} changes while it acts, and workers elsewhere"
                " act by copies of it; use LocalSampler"
            )
        return pack(batch), pack_worker(self._worker)


def main(connection: int, lifeline: int, policies: int, results: int) -> None:
    """Serve a worker until the parent has had enough, or has gone.

    Args:
        connection: file descriptor of a socket; calls come in, answers go out.
        lifeline: of a pipe that ends with the parent.
        policies: of the arena that policies' arrays come in.
        results: of the arena that arrays go out by.
    """
    for name in _PARENTS:  # the parent decides what becomes of them
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    calls, hands = Connection(connection), Hands()
    incoming, outgoing = Arena(policies), Arena(results)
    broken: BaseException | None = None
    while True:
        try:
            kind, *arguments = pickle.loads(calls.recv_bytes())
        except EOFError:
            return
        try:
            if kind == "start":
                broken = None
                hands.start(*arguments)
            elif kind == "policy":
                content, places = arguments
                hands.take_policy(content, incoming.read(places))
            elif broken is not None:
                raise broken
            else:
                calls.send_bytes(pickle.dumps((None, *_sent(outgoing, hands.collect(*arguments)))))
        except Exception as error:
            if kind == "collect":
                calls.send_bytes(_told(error))
            else:
                broken = error  # told when it is asked for something


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(0)


def _sent(arena: Arena, parcels: Sequence[Parcel]) -> tuple[Any, ...]:
    """Write parcels into an arena; return each as its pickle and the places of its buffers."""
    places = iter(arena.write([buffer for _, buffers in parcels for buffer in buffers]))
    return tuple((content, [next(places) for _ in buffers]) for content, buffers in parcels)


def _told(error: BaseException) -> bytes:
    """Return an error as bytes: itself if it can be sent, or what it says."""
    text = "".join(traceback.format_exception(error))
    try:
        content = pickle.dumps((error, text))
        pickle.loads(content)  # an exception may be written and not be read
    except Exception:
        return pickle.dumps((RuntimeError(f"{type(error).__name__}: {error}"), text))
    return content
