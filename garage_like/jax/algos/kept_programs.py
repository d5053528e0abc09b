"""Compiled programs, kept beside the run: a resume loads what the run compiled before.

A program is found by a digest of what it was lowered to, and of all else that the compiler goes by.
So one that was edited is compiled again, and a copy of a run has its programs with it. Tracing
takes longer than loading: a note beside it tells which program came of which values and code.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import re
import uuid
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from garage_like.jax.algos.traced_from import are_unchanged, digest_of, loaded_files
from garage_like.logging import logger

MOST_KEPT = 8
_PROGRAM, _NOTE = ".executable", ".traced"
_DIGEST = 16
_OWN_CACHE = "jax_compilation_cache_dir"
_CALLED = re.compile(r'custom_call @"?([^"(\s]+)')
_OF_XLA = ("lapack_", "cusolver", "cublas", "cudnn", "cu_", "hip", "mhlo.", "Sharding", "SPMD")
"""How targets of calls begin that are there in every process."""


def compiled(
    function: Any, arguments: tuple[Any, ...], directory: Path | None, read: Any = None
) -> Any:
    """Return a program for arguments like those given: from a directory, or compiled.

    Args:
        function: jitted.
        arguments: only their types, shapes and places count.
        directory: where programs are kept; None: nowhere. Where JAX has a cache of its own
            (jax_compilation_cache_dir), they are kept there.
        read: all that the function reads beside its arguments. As long as that is the same, and so
            is the code, it need not be traced to find its program.
    """
    if directory is None or getattr(jax.config, _OWN_CACHE, None):
        return function.lower(*arguments).compile()  # one of JAX's cache cannot be written again
    digest = None if read is None else digest_of((_told(), read), arguments)
    note = None if digest is None else directory / f"{digest}{_NOTE}"
    program = None if note is None else _noted(note, arguments)
    if program is not None:
        return program
    lowered = function.lower(*arguments)
    text = lowered.as_text()
    if not all(name.startswith(_OF_XLA) for name in _CALLED.findall(text)):
        return lowered.compile()  # it calls what tracing put into this process: Python, or Warp
    key = hashlib.blake2b(repr((_told(), text)).encode(), digest_size=16).hexdigest()
    path = directory / f"{key}{_PROGRAM}"
    program = _load(path, lowered.in_tree, lowered.out_tree)
    if program is None:
        program = lowered.compile()
        _keep(path, program)
    files = loaded_files()
    if note is not None and files is not None:
        with contextlib.suppress(Exception):  # results of a kind that cannot be written down
            _write(note, pickle.dumps((path.name, lowered.out_tree, files)))
    return program


def _noted(note: Path, arguments: tuple[Any, ...]) -> Any:
    """Return the program that a note tells of; None if there is none, or code was edited since."""
    content = _read(note)
    if content is None:
        return None
    with contextlib.suppress(Exception):  # a class that is no longer there; it is traced again
        name, out_tree, files = pickle.loads(content)
        if are_unchanged(files):
            return _load(note.with_name(name), jax.tree.structure((arguments, {})), out_tree)
    return None


def _told() -> tuple[Any, ...]:
    """Return what the compiler goes by beside the program."""
    return (
        jax.__version__,
        jax.lib.__version__,
        platform.platform(),
        sorted(os.environ.get("XLA_FLAGS", "").split()),
        [(device.platform, device.device_kind) for device in jax.devices()],
        _processor(),
    )


def _processor() -> list[str]:
    """Return this processor's name and its instructions: a host may hide some."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        one = file.read().split("\n\n")[0].splitlines()
        return [line for line in one if line.startswith(("model name", "flags", "Features"))]
    return [platform.processor()]


def _load(path: Path, in_tree: Any, out_tree: Any) -> Any:
    """Return the program of a file; None if there is none, or it cannot be used."""
    payload = _read(path)
    if payload is None:
        return None
    with contextlib.suppress(Exception):  # what another release wrote; it is compiled again
        return serialize_executable.deserialize_and_load(payload, in_tree, out_tree)
    _tell(path)
    return None


def _keep(path: Path, program: Any) -> None:
    """Write a program, unless it cannot be written."""
    with contextlib.suppress(ValueError, RuntimeError, pickle.PicklingError):  # by this backend
        _write(path, serialize_executable.serialize(program)[0])


def _read(path: Path) -> bytes | None:
    """Return what was written to a file; None if it is another user's, damaged or not there."""
    try:
        if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
            return None
        content = path.read_bytes()
    except OSError:
        return None
    payload = content[_DIGEST:]
    if hashlib.blake2b(payload, digest_size=_DIGEST).digest() == content[:_DIGEST]:
        return payload
    _tell(path)
    return None


def _write(path: Path, payload: bytes) -> None:
    """Write a file whole, unless it cannot be written; the oldest go beyond MOST_KEPT."""
    digest = hashlib.blake2b(payload, digest_size=_DIGEST).digest()
    writing = path.with_name(f".{uuid.uuid4().hex}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write_bytes(digest + payload)
        writing.replace(path)
        kept = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda file: file.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)


def _tell(path: Path) -> None:
    logger.log(f"{path} cannot be used; the program is compiled again")
