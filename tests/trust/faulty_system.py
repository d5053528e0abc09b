"""System calls that fail: one of those that the store makes, or each from one on."""

import errno
import os
import shutil

SHORT = "short write"
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EINTR")
CALLS = ("mkdir", "open", "write", "fsync", "close", "link", "rename", "unlink", "rmtree")


class FaultySystem:
    """Stand in for `os` and `shutil` where the store uses them.

    Attributes:
        fails: which calls fail, counted from 0; none if empty.
        error: name of the error, or SHORT for writes that take half of what they are given.
        done: names of the calls so far.
        failed: names of those that failed.
        not_synced: descriptors of files whose fsync failed, kept open so that their inodes stay
            taken.
    """

    def __init__(self, fails=range(0), error="EIO"):
        self.fails, self.error = fails, error
        self.done, self.failed, self.not_synced = [], [], []

    def __getattr__(self, name):
        real = getattr(shutil if name == "rmtree" else os, name)
        return self._faulty(name, real) if name in CALLS else real

    def _faulty(self, name, real):
        def call(*arguments):
            number = len(self.done)
            self.done.append(name)
            if number not in self.fails:
                return real(*arguments)
            if self.error == SHORT:
                if name != "write":
                    return real(*arguments)
                self.failed.append(name)
                descriptor, content = arguments
                return real(descriptor, content[: max(1, len(content) // 2)])
            self.failed.append(name)
            if name == "fsync":
                self.not_synced.append(os.dup(arguments[0]))
            if name == "close":
                real(*arguments)  # the descriptor is gone, whatever close returns
            raise OSError(getattr(errno, self.error), os.strerror(getattr(errno, self.error)))

        return call

    def lost_inodes(self):
        return {os.fstat(descriptor).st_ino for descriptor in self.not_synced}

    def let_go(self):
        for descriptor in self.not_synced:
            os.close(descriptor)
