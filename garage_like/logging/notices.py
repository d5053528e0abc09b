"""Tell the user something, and go on whatever becomes of it: nobody may listen any more.

A pipe whose reader has ended, a full disk behind `>`, a stream that is closed, warnings that are
turned into errors: none of them is a reason to end a training.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Iterator


def warn(message: str, category: type[Warning] = UserWarning, stacklevel: int = 1) -> None:
    """Warn as `warnings.warn` does; where a filter makes an error of it, print it instead.

    Args:
        message: what to say.
        category: of the warning.
        stacklevel: as of `warnings.warn`, called where this is called.
    """
    try:
        warnings.warn(message, category, stacklevel=stacklevel + 1)
    except Exception:  # the warning itself, or what an own `showwarning` raises
        with contextlib.suppress(Exception):
            print(f"{category.__name__}: {message}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Print a line to standard output, if there is one that takes it."""
    with heedless():
        print(text, flush=True)


def say_at_once(text: str) -> None:
    """Print a line from a signal handler: past the buffer, which may be in use at this moment."""
    with contextlib.suppress(Exception):
        try:
            descriptor = sys.stdout.fileno()
        except (OSError, ValueError):  # a stream of a notebook, which has no file
            print(text)
        else:
            os.write(descriptor, f"{text}\n".encode())


@contextlib.contextmanager
def heedless() -> Iterator[None]:
    """Go on if what the block shows on standard output cannot be shown."""
    try:
        yield
    except (Exception, SystemExit) as error:  # rich exits where a pipe is broken
        _flush_at_exit()
        if isinstance(error, BrokenPipeError):
            _drop_what_cannot_be_shown()


@functools.cache
def _flush_at_exit() -> None:
    atexit.register(_drop_what_cannot_be_shown)


def _drop_what_cannot_be_shown() -> None:
    """Let standard output lead nowhere if it cannot be flushed: Python would exit with 120."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
    except AttributeError:
        return  # there is none
