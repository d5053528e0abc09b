"""The parent's end of a worker that is an actor of a Ray cluster."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from garage_like.data.batches import EpisodeBatch
from garage_like.sampler.hands import Hands, WorkerDiedError, raise_told
from garage_like.sampler.parcels import Buffer, Parcel, unpack
from garage_like.sampler.ray_cluster import connected


class _Actor(Hands):
    """Hands whose arrays go out by Ray's object store."""

    def obey(self, order: str, *arguments: Any) -> Any:
        answer = super().obey(order, *arguments)
        return [_by_store(parcel) for parcel in answer] if isinstance(answer, tuple) else answer


class RayLink:
    """Start an actor for a worker, and call it."""

    def __init__(self) -> None:
        self._ray = connected()
        # Placed where there is a processor, but holds none: more workers than those do not wait.
        remote = self._ray.remote(_Actor).options(scheduling_strategy="SPREAD", max_restarts=0)
        self._actor = remote.remote()
        self._asked: Any = None

    def start(self, worker: Parcel, surroundings: dict[str, Any]) -> None:
        """Send the worker."""
        self._actor.obey.remote("start", _by_store(worker), surroundings)

    def send_policy(self, content: bytes | None, places: Any) -> None:
        """Send a policy, or what refers to its arrays if nothing else of it has changed."""
        self._actor.obey.remote("policy", content, places)

    def ask(self, method: str, amount: int) -> None:
        """Let the worker collect."""
        self._asked = self._actor.obey.remote("collect", method, amount)

    def answer(self) -> tuple[EpisodeBatch, Parcel]:
        """Wait for what was asked for: a batch, and what the worker has become.

        Raises:
            WorkerDiedError: if the actor has gone, alone or with its machine.
            Exception: whatever was raised there.
        """
        errors = self._ray.exceptions
        gone = (errors.RayActorError, errors.ObjectLostError, errors.OutOfMemoryError)
        try:
            answer = self._ray.get(self._asked)
        except gone as error:
            raise WorkerDiedError(str(error).strip().partition("\n")[0]) from error
        if isinstance(answer, bytes):
            raise_told(answer)
        batch, worker = answer
        return unpack(batch), worker

    def stop(self) -> None:
        """End the actor; the worker is lost."""
        if self._ray.is_initialized():
            self._ray.kill(self._actor)


def published(parcels: Sequence[Parcel]) -> list[Any]:
    """Put the arrays of parcels into the object store; return what refers to each parcel's."""
    ray = connected()
    return [ray.put(_by_store(parcel)[1]) for parcel in parcels]


def _by_store(parcel: Parcel) -> tuple[bytes, list[Any]]:
    """Mark a parcel's arrays, so that Ray keeps them in its store, beside the pickle."""
    content, buffers = parcel
    return content, [pickle.PickleBuffer(_flat(buffer)) for buffer in buffers]


def _flat(buffer: Buffer) -> memoryview:
    return memoryview(buffer).cast("B")
