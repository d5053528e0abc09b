"""Compiled programs, kept beside the run: a resume loads what the run compiled before.

A program is found by a digest of what it was lowered to, and of all else that the compiler goes by.
So one that was edited is compiled again, and a copy of a run has its programs with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import uuid
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from garage_like.logging import logger

MOST_KEPT = 8
_SUFFIX = ".executable"
_OWN_CACHE = "jax_compilation_cache_dir"


def compiled(function: Any, arguments: tuple[Any, ...], directory: Path | None) -> Any:
    """Return a program for arguments like those given: from a directory, or compiled.

    Args:
        function: jitted.
        arguments: only their types, shapes and places count.
        directory: where programs are kept; None: nowhere. Where JAX has a cache of its own
            (jax_compilation_cache_dir), they are kept there.
    """
    lowered = function.lower(*arguments)
    if directory is None or getattr(jax.config, _OWN_CACHE, None):
        return lowered.compile()  # one out of JAX's own cache cannot be written down again
    path = directory / f"{_key(lowered)}{_SUFFIX}"
    program = _load(path, lowered)
    if program is None:
        program = lowered.compile()
        _keep(path, program)
    return program


def _key(lowered: Any) -> str:
    told = (
        jax.__version__,
        jax.lib.__version__,
        platform.platform(),
        sorted(os.environ.get("XLA_FLAGS", "").split()),
        [(device.platform, device.device_kind) for device in jax.devices()],
        _processor(),
        lowered.as_text(),
    )
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


def _processor() -> list[str]:
    """Return this processor's name and its instructions: a host may hide some."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        one = file.read().split("\n\n")[0].splitlines()
        return [line for line in one if line.startswith(("model name", "flags", "Features"))]
    return [platform.processor()]


def _load(path: Path, lowered: Any) -> Any:
    """Return the program of a file; None if there is none, it is another user's or damaged."""
    try:
        if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
            return None
        content = path.read_bytes()
    except OSError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if hashlib.blake2b(payload, digest_size=_DIGEST).digest() == digest:
        with contextlib.suppress(Exception):  # what another release wrote; it is compiled again
            return serialize_executable.deserialize_and_load(
                payload, lowered.in_tree, lowered.out_tree
            )
    logger.log(f"{path} cannot be used; the program is compiled again")
    return None


_DIGEST = 16


def _keep(path: Path, program: Any) -> None:
    """Write a program, unless it cannot be written; the oldest go beyond MOST_KEPT."""
    try:
        payload, _, _ = serialize_executable.serialize(program)
    except (ValueError, RuntimeError, pickle.PicklingError):
        return  # a backend that cannot
    digest = hashlib.blake2b(payload, digest_size=_DIGEST).digest()
    writing = path.with_name(f".{uuid.uuid4().hex}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write_bytes(digest + payload)
        writing.replace(path)
        kept = sorted(path.parent.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
