"""Tell the user something, and go on whatever becomes of it: nobody may listen any more.

A pipe whose reader has ended, a full disk behind `>`, a stream that is closed, warnings that are
turned into errors: none of them is a reason to end a training.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BUT_COLOURS = re.compile(rf"\x1b\[[0-9;]*m|({_CONTROL.pattern})")


def printable(text: str) -> str:
    """Spell out what a terminal would obey: names and values may be of any origin."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def printable_but_for_colours(text: str) -> str:
    """Spell out what a terminal would obey, but for colours: what a run logs may have those."""
    return _BUT_COLOURS.sub(lambda f: ascii(f[1])[1:-1] if f[1] else f[0], text)


def warn(message: str, category: type[Warning] = UserWarning, stacklevel: int = 1) -> None:
    """Warn as `warnings.warn` does; where a filter makes an error of it, print it instead.

    Args:
        message: what to say.
        category: of the warning.
        stacklevel: as in `warnings.warn`, called where this is called.
    """
    try:
        warnings.warn(message, category, stacklevel=stacklevel + 1)
    except Exception:  # the warning itself, or what an own `showwarning` raises
        say_aside(f"{category.__name__}: {message}")


def say(text: str) -> None:
    """Print a line to standard output, if there is one that takes it."""
    with heedless():
        print(text, flush=True)


def say_aside(text: str) -> None:
    """Print a line to standard error, which no program reads results from."""
    with contextlib.suppress(Exception):
        print(text, file=sys.stderr, flush=True)


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


@contextlib.contextmanager
def printing_forgiven() -> Iterator[None]:
    """Let anyone print while the block runs, libraries and the user, though nobody may take it.

    The streams stay the objects that they are. Where there is no standard output, there is one that
    leads nowhere: some libraries want one.
    """
    with contextlib.ExitStack() as stack:
        if sys.stdout is None:
            stack.enter_context(
                contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w")))
            )
        for stream in (sys.stdout, sys.stderr):
            own = getattr(stream, "__dict__", {"write": None})
            for name in () if "write" in own else ("write", "flush"):
                own[name] = _forgiving(stream, getattr(stream, name))
                stack.callback(own.pop, name, None)
        yield


def _forgiving(stream: Any, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        try:
            return method(*args)
        except (OSError, ValueError) as error:
            _flush_at_exit()
            if isinstance(error, BrokenPipeError):
                _lead_nowhere(stream)
            return len(args[0]) if args else None

    return call


@functools.cache
def _flush_at_exit() -> None:
    atexit.register(_drop_what_cannot_be_shown)


def _drop_what_cannot_be_shown() -> None:
    """Let standard output lead nowhere if it cannot be flushed: Python would exit with 120."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _lead_nowhere(sys.stdout)
    except AttributeError:
        return  # there is none


def _lead_nowhere(stream: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
