"""Hands: what holds a worker elsewhere, in a process or on another machine."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from garage_like import seeding
from garage_like.sampler.parcels import (
    Buffer,
    Parcel,
    digest,
    pack,
    pack_worker,
    unpack,
    unpack_worker,
)
from garage_like.sampler.shared_state import noted
from garage_like.sampler.worker import Worker
from garage_like.snapshot.kinds.registry import KINDS


class WorkerDiedError(Exception):
    """Raise when what holds a worker has gone."""


class Hands:
    """Hold the worker, and do what it is told."""

    _worker: Worker
    _policy: bytes
    _sent: str
    _broken: Exception | None = None

    def obey(self, order: str, *arguments: Any) -> tuple[Parcel, Parcel] | bytes | None:
        """Do what one message says: `start`, `policy` or `collect`; only the last is answered.

        Returns:
            What `collect` does, or an error as bytes, be it of an order before.
        """
        try:
            if order == "start":
                self._broken = None
                self.start(*arguments)
            elif order == "policy":
                self.take_policy(*arguments)
            elif self._broken is not None:
                raise self._broken
            else:
                return self.collect(*arguments)
        except Exception as error:
            if order == "collect":
                return _told(error)
            self._broken = error  # told when it is asked for something
        return None

    def start(self, worker: Parcel, surroundings: dict[str, Any]) -> None:
        """Take a worker over, in place of the one before."""
        if hasattr(self, "_worker"):
            self._worker.shutdown()
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
        moved = noted()
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


def raise_told(content: bytes) -> NoReturn:
    """Raise an error that `Hands.obey` returned."""
    error, text = pickle.loads(content)
    error.add_note(f"This happened in a worker's process:\n{text}")
    raise error


def _told(error: BaseException) -> bytes:
    """Return an error as bytes: itself if it can be sent, or what it says."""
    text = "".join(traceback.format_exception(error))
    try:
        content = pickle.dumps((error, text))
        pickle.loads(content)  # an exception may be written and not be read
    except Exception:
        return pickle.dumps((RuntimeError(f"{type(error).__name__}: {error}"), text))
    return content
