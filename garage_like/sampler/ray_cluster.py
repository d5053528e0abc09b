"""The Ray cluster that actors run on: the one there is, or one of this machine alone."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from types import ModuleType

from garage_like.errors import install_hint
from garage_like.sampler import ray_keeper
from garage_like.snapshot.rng import global_rng_untouched

_MARK = "GARAGE_LIKE_RAY"
_CONNECTING = threading.Lock()


def connected() -> ModuleType:
    """Return Ray, connected: as it is, to `RAY_ADDRESS`, or to a cluster that is started here.

    Raises:
        ModuleNotFoundError: if there is no Ray.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"this needs Ray: {install_hint('ray')}", name="ray") from error
    with _CONNECTING:
        if not ray.is_initialized():
            _connect(ray)
    return ray


def _connect(ray: ModuleType) -> None:
    with _without_traces():
        if os.environ.get("RAY_ADDRESS", "local") == "local":
            _start(ray)
        else:
            ray.init(logging_level=logging.WARNING)


def _start(ray: ModuleType) -> None:
    """Start a cluster of this machine, which ends with this process, however that ends."""
    mark = uuid.uuid4().hex
    theirs, lifeline = os.pipe()
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", ray_keeper.__file__, str(theirs), f"{_MARK}={mark}"],
        pass_fds=[theirs],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is this process's to handle
    )
    os.close(theirs)
    os.environ[_MARK] = mark
    try:
        ray.init("local", include_dashboard=False, logging_level=logging.WARNING)
    finally:
        del os.environ[_MARK]
    os.write(lifeline, b".")
    atexit.register(_end, ray, keeper, lifeline)


def _end(ray: ModuleType, keeper: subprocess.Popen[bytes], lifeline: int) -> None:
    ray.shutdown()
    os.close(lifeline)
    keeper.wait()


@contextlib.contextmanager
def _without_traces() -> Iterator[None]:
    """Let random numbers and what signals do be as before: Ray draws, and sets handlers."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        with global_rng_untouched():
            yield
    finally:
        for number, handler in handlers.items():
            if callable(handler):  # set again, since a library in C may stand before it
                with contextlib.suppress(ValueError):  # not the main thread
                    signal.signal(number, handler)
