"""The one module that imports TensorFlow: without its noise, on one thread, with the run's seed.

TensorFlow writes to file descriptor 2 before it reads any log level, so that descriptor is put
aside while TensorFlow is loaded and looks for devices. What was written is shown if loading fails,
or always if TF_CPP_MIN_LOG_LEVEL is 0; errors that come later are never hidden.

The networks here are small, and several threads make small networks slower and sums depend on
their number: importing this module therefore sets one thread inside an operation and one for
operations, unless TensorFlow was told otherwise by the environment (TF_NUM_INTRAOP_THREADS,
TF_NUM_INTEROP_THREADS) or by `tf.config.threading`. To choose for yourself, call those functions
before the first tensor is made. The numbers are part of what makes a run repeatable.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from garage_like import seeding
from garage_like.errors import install_hint

if TYPE_CHECKING:
    import tensorflow as tf

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ERRORS_ONLY = "2"


def import_tensorflow() -> Any:
    """Return the module `tensorflow`, loaded, on one thread unless told otherwise, and seeded."""
    was_loaded = "tensorflow" in sys.modules
    wants_noise = os.environ.setdefault(_LOG_LEVEL, _ERRORS_ONLY) == "0"
    with contextlib.nullcontext() if was_loaded or wants_noise else stderr_held_back():
        tensorflow = _import()
        _set_threads(tensorflow.config.threading)
        tensorflow.config.list_physical_devices()
    if not was_loaded or _global_seed() != seeding.get_seed():
        seeding.seed_framework("tensorflow")
    return tensorflow


def _import() -> Any:
    try:
        return importlib.import_module("tensorflow")
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise ModuleNotFoundError(
            "garage_like.tf needs TensorFlow, which is not installed:"
            f" {install_hint('tensorflow-cpu')} ([tensorflow] with a GPU)",
            name="tensorflow",
        ) from error


@contextlib.contextmanager
def stderr_held_back() -> Iterator[None]:
    """Write nothing to file descriptor 2 meanwhile; show it after all on an exception."""
    try:
        sys.stderr.flush()
        stderr = os.dup(2)
    except (OSError, ValueError, AttributeError):  # no stderr, or one that was closed
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


def _set_threads(threading: Any) -> None:
    for pool in ("intra", "inter"):
        chosen = f"TF_NUM_{pool.upper()}OP_THREADS" in os.environ
        if not chosen and getattr(threading, f"get_{pool}_op_parallelism_threads")() == 0:
            with contextlib.suppress(RuntimeError):  # tensors were made before: too late to choose
                getattr(threading, f"set_{pool}_op_parallelism_threads")(1)


def _global_seed() -> int | None:
    """Return the seed that TensorFlow has; there is no public way to ask."""
    context = importlib.import_module("tensorflow.python.eager.context")
    seed: int | None = context.global_seed()
    return seed


if not TYPE_CHECKING:
    tf = import_tensorflow()

__all__ = ["tf"]
