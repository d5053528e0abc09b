"""What goes to workers in other processes and comes back: exact pickles, arrays out of band.

A worker is moved whole, its environments in mid-episode and its generator included, as a snapshot
would save it; its policy goes by itself, since all workers share it.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from garage_like.sampler.worker import Worker
from garage_like.snapshot.disk.digests import file_digest_of
from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.kinds.registry import KINDS

_KINDS = "kinds"
Buffer = bytes | bytearray | memoryview
Parcel = tuple[bytes, Sequence[Buffer]]
"""A pickle, and the memory of the arrays that it refers to, in order."""


def pack(value: Any) -> Parcel:
    """Return an exact pickle; its buffers are views of the value's own memory."""
    pickler = GraphPickler({"value": value}, keep_live=False)
    return pickler.save(), [buffer.data for buffer in pickler.buffers]


def unpack(parcel: Parcel) -> Any:
    """Return the value of a parcel, which shares no memory with it."""
    content, buffers = parcel
    return GraphUnpickler(content, [bytearray(buffer) for buffer in buffers]).load()["value"]


def digest(parcel: Parcel) -> str:
    """Return what tells a parcel from another."""
    return file_digest_of([parcel[0], *parcel[1]]).digest


def pack_worker(worker: Worker) -> Parcel:
    """Return a worker without its policy, ready to be put into the worker that it is a copy of.

    Raises:
        TypeError: if it cannot go to another process.
    """
    agent, worker._agent = worker._agent, None
    try:
        pickler = GraphPickler({_KINDS: KINDS.registered, **_parts(worker)})
        return pickler.save(), [buffer.data for buffer in pickler.buffers]
    except (TypeError, pickle.PicklingError) as error:
        raise TypeError(
            f"an environment of {type(worker).__name__} holds what cannot go from one process to"
            f" another: {error}; leave it out of the environment's state (__getstate__), or use"
            " LocalSampler"
        ) from error
    finally:
        worker._agent = agent


def unpack_worker(parcel: Parcel) -> Worker:
    """Return a worker of its own, which has no policy yet."""
    content, buffers = parcel
    graph = GraphUnpickler(content, [bytearray(buffer) for buffer in buffers]).load()
    KINDS.register_saved(graph[_KINDS])
    worker: Worker = graph["worker"]
    return worker


def put_into(worker: Worker, parcel: Parcel) -> None:
    """Make a worker, and the environments that it has, what a copy of it has become elsewhere.

    Whoever holds the worker's environments, a trainer its first one, goes on holding them.
    """
    agent = worker._agent
    content, buffers = parcel
    with restoring_into(components_of(_parts(worker))):
        GraphUnpickler(content, [bytearray(buffer) for buffer in buffers]).load()
    worker._agent = agent


def _parts(worker: Worker) -> dict[str, Any]:
    envs = {f"env_{number}": env for number, env in enumerate(worker._envs)}
    return {"worker": worker, **envs}
