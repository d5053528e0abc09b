"""The process of one worker: it waits for calls, and sends home what came of each.

Started by `process_link`, which holds the other ends. Nothing here outlives the parent: a pipe that
only the parent holds open ends with it, however it ends.
"""

from __future__ import annotations

import mmap
import os
import pickle
import select
import signal
import tempfile
import threading
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from garage_like.sampler.hands import Hands
from garage_like.sampler.parcels import Buffer, Parcel

_ALIGNMENT = 64
_SMALLEST = 1 << 16
_LOOK = 1.0
"""Seconds between two looks whether the parent lives, where the lifeline does not tell."""

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
    while True:
        try:
            order, *arguments = pickle.loads(calls.recv_bytes())
        except EOFError:
            return
        if order == "policy":
            arguments[1] = incoming.read(arguments[1])
        answer = hands.obey(order, *arguments)
        if isinstance(answer, tuple):
            answer = pickle.dumps((None, *_sent(outgoing, answer)))
        if answer is not None:
            calls.send_bytes(answer)


def _end_with_parent(lifeline: int) -> None:
    """End when the lifeline does, or the parent, whose forks may hold it open and outlive it."""
    parent = os.getppid()
    while os.getppid() == parent and not select.select([lifeline], [], [], _LOOK)[0]:
        pass
    os._exit(0)


def _sent(arena: Arena, parcels: Sequence[Parcel]) -> tuple[Any, ...]:
    """Write parcels into an arena; return each as its pickle and the places of its buffers."""
    places = iter(arena.write([buffer for _, buffers in parcels for buffer in buffers]))
    return tuple((content, [next(places) for _ in buffers]) for content, buffers in parcels)
