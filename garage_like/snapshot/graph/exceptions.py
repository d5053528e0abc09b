"""Exceptions come back though their constructor takes other arguments than they hold.

Python rebuilds an exception by calling its class with `args`, which are what its constructor handed
on: `Failed("diverged", 3)` holds one sentence, and cannot be called with it.
"""

from __future__ import annotations

from typing import Any

_DEFAULT = BaseException.__reduce_ex__


def is_exception_class(cls: type) -> bool:
    """Tell whether a class is one of exceptions with a constructor of their own."""
    if not issubclass(cls, BaseException) or cls.__reduce_ex__ is not _DEFAULT:
        return False
    builtin = _builtin_base(cls)
    return cls.__reduce__ is builtin.__reduce__ and cls.__init__ is not builtin.__init__


def reduce_exception(error: BaseException) -> Any:
    """Return how pickle saves an exception, past its own constructor."""
    return rebuild_exception, (type(error), *error.args), error.__dict__ or None


def rebuild_exception(cls: type[BaseException], *arguments: Any) -> BaseException:
    """Build an exception with these `args`, as the builtin one that it derives from would."""
    builtin = _builtin_base(cls)
    error: BaseException = builtin.__new__(cls, *arguments)
    builtin.__init__(error, *arguments)
    return error


def _builtin_base(cls: type) -> Any:
    return next(base for base in cls.__mro__ if base.__module__ == "builtins")
