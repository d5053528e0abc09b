"""What only tells or shows something is made again after a restore, and not saved.

Log files, loggers and their handlers, TensorBoard writers, progress bars, a run of Weights &
Biases: no number of a run depends on them, and all of them hold what no other process can have. A
snapshot keeps what one needs to make them again, and the run says which ones there are.

While a snapshot is only tried (`only_trying`) they are stood in for: no file is opened or written.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from garage_like.snapshot.kinds.attributes import PartsFunction
from garage_like.snapshot.kinds.kind import Kind, Pickling, Reducer, no_parts

_trying = contextvars.ContextVar("trying", default=False)


@contextlib.contextmanager
def only_trying() -> Iterator[None]:
    """Make nothing again in the block: what is loaded there is looked at and thrown away."""
    token = _trying.set(True)
    try:
        yield
    finally:
        _trying.reset(token)


def is_only_trying() -> bool:
    """Tell whether what is loaded now is thrown away."""
    return _trying.get()


class StandIn:
    """Stand for what would be made again, where a snapshot is only tried: it does nothing."""

    def __init__(self, make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._made = make, arguments

    def __reduce__(self) -> Any:
        """Return how that would be saved."""
        return made_again, self._made

    def __getattr__(self, name: str) -> Any:
        """Return a function that does nothing: a file is not written, a bar is not shown."""
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


@functools.lru_cache(4096)
def _reducer_for(cls: Any) -> Reducer | None:
    for kind, reducer in _KINDS.items():
        if issubclass(cls, kind):
            return reducer
    for base in cls.__mro__:
        found = _KNOWN_BY_NAME.get((base.__module__.partition(".")[0], base.__qualname__))
        if found is not None:
            return found
    return None


class MadeAgainKind(Kind):
    """Log files, loggers, writers and bars, of whatever library."""

    name = "made_again"

    def claims(self, cls: type) -> bool:
        return _reducer_for(cls) is not None

    is_named = claims

    def reduce(self, value: Any, pickling: Pickling) -> Any:
        cls: Any = type(value)
        reducer = _reducer_for(cls)
        reduced = NotImplemented if reducer is None else reducer(value)
        if reduced is not NotImplemented and reduced[0] is made_again:
            pickling.made_again[id(value)] = value
        return reduced

    def parts_function(self, cls: type, *, as_pickled: bool) -> PartsFunction:
        return no_parts


def made_again(make: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Make something again, unless a snapshot is only tried."""
    return StandIn(make, arguments) if _trying.get() else make(*arguments)


# ---- files ----------------------------------------------------------------------------------


def _reduce_file(file: Any) -> Any:
    """Return how a file is saved: by its name, and where it was read."""
    for stream in ("stdin", "stdout", "stderr"):
        if file in (getattr(sys, stream), getattr(sys, f"__{stream}__")):
            return getattr, (sys, stream)
    name = getattr(file, "name", None)
    if not isinstance(name, str | bytes):
        return NotImplemented
    is_text = isinstance(file, io.TextIOWrapper)
    is_written = not file.closed and file.writable()
    place = None if file.closed or is_written or not file.seekable() else file.tell()
    encoding = (file.encoding, file.errors) if is_text else (None, None)
    buffering = 0 if isinstance(file, io.FileIO) else 1 if _is_by_line(file) else -1
    is_read = is_written and file.readable()
    told = (name, is_text, is_written, place, buffering, *encoding, is_read)
    return made_again, (open_again, told)


def _is_by_line(file: Any) -> bool:
    return isinstance(file, io.TextIOWrapper) and file.line_buffering


def open_again(
    name: str | bytes,
    is_text: bool,
    is_written: bool,
    place: int | None,
    buffering: int,
    encoding: str | None,
    errors: str | None,
    is_read: bool = False,
) -> Any:
    """Open a file as it was: at its end to be written, where it was to be read, or closed."""
    writes = "a+" if is_read else "a"
    mode = (writes if is_written else "r") + ("" if is_text else "b")
    is_closed = place is None and not is_written
    file = open(os.devnull if is_closed else name, mode, buffering, encoding, errors)  # noqa: SIM115
    if place is not None:
        file.seek(place)
    if is_closed:
        file.close()
    return file


# ---- logging --------------------------------------------------------------------------------


def _reduce_logger(logger: logging.Logger) -> Any:
    return made_again, (logger_again, (type(logger), logger.name, logger.level))


def logger_again(cls: type[logging.Logger], name: str, level: int) -> logging.Logger:
    """Return this process's logger of that name."""
    if name == "root":
        return logging.getLogger()
    known = logging.Logger.manager.loggerDict.get(name)
    if isinstance(known, logging.Logger):
        return known
    logger = logging.getLogger(name)
    logger.setLevel(level)
    return logger


def _reduce_handler(handler: logging.Handler) -> Any:
    cls = type(handler)
    left_out = ("lock", "stream")
    state = {name: value for name, value in vars(handler).items() if name not in left_out}
    stream: Any = vars(handler).get("stream") if not hasattr(handler, "baseFilename") else None
    return made_again, (handler_again, (cls, state, stream))


def handler_again(cls: type[logging.Handler], state: dict[str, Any], stream: Any) -> Any:
    """Make a handler that writes on where the saved one did; a file is opened when it is used."""
    handler = cls.__new__(cls)
    vars(handler).update(state)
    handler.createLock()
    if hasattr(handler, "baseFilename") or stream is not None:
        handler.stream = stream  # type: ignore[attr-defined]
    return handler


# ---- other packages' ------------------------------------------------------------------------


def _reduce_summary_writer(writer: Any) -> Any:
    names = ("log_dir", "logdir", "_logdir")
    directory = next(filter(None, (getattr(writer, name, None) for name in names)), None)
    return made_again, (call_again, (type(writer), (str(directory),), {}))


def _reduce_bar(bar: Any) -> Any:
    """Return how a progress bar is saved: what it goes through, and how far it is."""
    shown = {name: getattr(bar, name, None) for name in ("iterable", "total", "unit", "leave")}
    shown["desc"] = (getattr(bar, "desc", None) or "").removesuffix(": ") or None
    place = {"initial": getattr(bar, "n", 0), "disable": getattr(bar, "disable", False)}
    return made_again, (call_again, (type(bar), (), {**shown, **place}))


def _reduce_wandb_run(run: Any) -> Any:
    told = {name: getattr(run, name, None) for name in ("project", "entity", "id", "name")}
    return made_again, (wandb_again, (told,))


def wandb_again(told: dict[str, Any]) -> Any:
    """Return this process's run of Weights & Biases, or go on with the one that was saved."""
    wandb = importlib.import_module("wandb")
    return wandb.run if wandb.run is not None else wandb.init(**told, resume="allow")


def call_again(make: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Call what makes an object."""
    return make(*arguments, **named)


_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedReader, io.BufferedRandom, io.FileIO)
_KINDS: dict[type | tuple[type, ...], Reducer] = {
    _FILES: _reduce_file,
    logging.Logger: _reduce_logger,
    logging.Handler: _reduce_handler,
}
_KNOWN_BY_NAME: dict[tuple[str, str], Reducer] = {
    ("torch", "SummaryWriter"): _reduce_summary_writer,
    ("tensorboardX", "SummaryWriter"): _reduce_summary_writer,
    ("tensorboard", "EventFileWriter"): _reduce_summary_writer,
    ("tensorboardX", "EventFileWriter"): _reduce_summary_writer,
    ("tqdm", "tqdm"): _reduce_bar,
    ("wandb", "Run"): _reduce_wandb_run,
}
