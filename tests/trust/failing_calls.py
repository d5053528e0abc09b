"""Calls of the system that fail: whichever function of `os` is called about a folder."""

import builtins
import errno
import io
import os
from contextlib import contextmanager

CALLS = (
    "open",
    "write",
    "fsync",
    "close",
    "fstat",
    "stat",
    "lstat",
    "mkdir",
    "rmdir",
    "listdir",
    "scandir",
    "link",
    "rename",
    "replace",
    "unlink",
    "truncate",
    "ftruncate",
)
ERRNOS = (
    "ENOSPC",
    "EDQUOT",
    "EIO",
    "EROFS",
    "ESTALE",
    "EACCES",
    "EPERM",
    "ENOTCONN",
    "ETIMEDOUT",
    "ENODEV",
    "EBUSY",
    "EMFILE",
    "ENFILE",
    "ENOMEM",
    "EINTR",
    "EAGAIN",
    "ENOENT",
    "ENXIO",
    "ENOTDIR",
    "ELOOP",
    "EINVAL",
)


class FailingCalls:
    """Let one of the calls about a folder fail, counted from where `begin` was called.

    Attributes:
        count: calls since then.
        failed: the name of the call that failed, and what it was about.
    """

    def __init__(self, folder, number, error):
        self._folder, self._number, self._error = os.fspath(folder), number, error
        self._real = {name: getattr(os, name) for name in CALLS}
        self.count, self.failed, self._counts = 0, None, False

    @contextmanager
    def installed(self):
        real_open = io.open
        try:
            for name in CALLS:
                setattr(os, name, self._failing(name, self._real[name]))
            builtins.open = io.open = self._failing("open", real_open)
            yield self
        finally:
            builtins.open = io.open = real_open
            for name, call in self._real.items():
                setattr(os, name, call)

    def begin(self):
        self._counts = True

    def end(self):
        self._counts = False

    def _failing(self, name, real):
        def call(*args, **kwargs):
            if self._counts and args and self._is_about_the_folder(args[0]):
                number, self.count = self.count, self.count + 1
                if number == self._number:
                    self.failed = name
                    if name == "close":
                        real(*args)  # the descriptor is gone, whatever close returns
                    code = getattr(errno, self._error)
                    raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        return call

    def _is_about_the_folder(self, subject):
        if isinstance(subject, int):
            try:
                subject = os.readlink(f"/proc/self/fd/{subject}")
            except OSError:
                return False
        try:
            return os.fspath(subject).startswith(self._folder)
        except TypeError:
            return False
