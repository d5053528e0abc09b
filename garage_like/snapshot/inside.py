"""Effects that stay inside: what is tried in copies writes no file and reaches nobody outside.

A copy of an environment may drive a robot, send to a simulator that is paid for by the step, or
write films of its episodes. While it is tried, it is stopped right before it does.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

_WRITING_MODES = frozenset("wax+")
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OF_THE_SYSTEM = (
    *("mkdir", "remove", "unlink", "rmdir", "rename", "replace", "link", "symlink", "truncate"),
    *("system", "fork", "forkpty", "posix_spawn", "posix_spawnp", "kill", "mkfifo"),
)
_OF_SOCKETS = ("connect", "connect_ex", "bind", "send", "sendall", "sendto", "sendmsg")


class ReachedOutsideError(BaseException):
    """Raise where a copy is about to act outside; no `except Exception` of its code catches it."""


@contextlib.contextmanager
def staying_inside() -> Iterator[list[str]]:
    """Stop whatever this thread does within that would be seen outside of the process.

    Variables of the environment are put back. What C code does by itself is not seen.

    Yields:
        What was stopped, a phrase each, such as `writes to 'log.txt'`.
    """
    guard = _Guard(threading.get_ident())
    variables = dict(os.environ)
    with contextlib.ExitStack() as stack:
        for owner, name, replacement in guard.replacements():
            stack.callback(_put_back, owner, name, vars(owner).get(name))
            setattr(owner, name, replacement)
        try:
            yield guard.stopped
        finally:
            if dict(os.environ) != variables:
                os.environ.clear()
                os.environ.update(variables)


def _put_back(owner: Any, name: str, original: Any) -> None:
    if original is None:
        delattr(owner, name)
    else:
        setattr(owner, name, original)


class _Guard:
    def __init__(self, thread: int) -> None:
        self._thread = thread
        self.stopped: list[str] = []

    def replacements(self) -> Iterator[tuple[Any, str, Any]]:
        """Yield owner, name and what takes its place."""
        yield builtins, "open", self._guarded(builtins.open, _opens_for_writing)
        yield io, "open", self._guarded(io.open, _opens_for_writing)
        yield os, "open", self._guarded(os.open, _opens_descriptor)
        for name in _OF_THE_SYSTEM:
            if hasattr(os, name):
                yield os, name, self._guarded(getattr(os, name), _calls(f"os.{name}"))
        for name in _OF_SOCKETS:
            if hasattr(socket.socket, name):
                original = getattr(socket.socket, name)
                yield socket.socket, name, self._guarded(original, _speaks)
        begin = subprocess.Popen.__init__
        yield subprocess.Popen, "__init__", self._guarded(begin, _starts)

    def _guarded(self, original: Any, effect: Callable[..., str | None]) -> Any:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == self._thread:
                found = effect(*args, **kwargs)
                if found is not None:
                    self.stopped.append(found)
                    raise ReachedOutsideError(found)
            return original(*args, **kwargs)

        return guarded


def _opens_for_writing(file: Any, mode: str = "r", *_: Any, **__: Any) -> str | None:
    if not _WRITING_MODES.intersection(mode) or file == os.devnull:
        return None
    return f"writes to {os.fspath(file)!r}" if not isinstance(file, int) else "writes to a file"


def _opens_descriptor(path: Any, flags: int, *_: Any, **__: Any) -> str | None:
    return f"writes to {os.fspath(path)!r}" if flags & _WRITING_FLAGS else None


def _calls(name: str) -> Callable[..., str]:
    return lambda *args, **__: f"calls {name}({', '.join(map(repr, args[:1]))})"


def _speaks(_: Any, *args: Any, **__: Any) -> str:
    return "speaks to another process or machine"


def _starts(_: Any, args: Any = (), *__: Any, **___: Any) -> str:
    return f"starts the process {args!r}"
