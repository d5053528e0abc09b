"""Leaving what the run's own modules and classes hold as it was found."""

from __future__ import annotations

import contextlib
import copyreg
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from garage_like.snapshot.graph.call_caches import CACHED_FUNCTION, Calls
from garage_like.snapshot.graph.own_namespaces import own_classes, own_namespaces
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.places import NUMBERS, Place, find_places
from garage_like.snapshot.graph.value_digests import (
    Digest,
    cannot_be_saved,
    digest_of,
    is_large,
)


@contextlib.contextmanager
def as_found(*, only_if_it_fails: bool = False) -> Iterator[None]:
    """Set what changes in the block to what it was.

    Args:
        only_if_it_fails: only where the block raises.
    """
    before = {place: (at, *_kept(at.value)) for place, at in find_places().items()}
    known = set(map(id, (*own_namespaces(), *own_classes())))
    try:
        yield
    except BaseException:
        _take_back(before, known)
        raise
    if not only_if_it_fails:
        _take_back(before, known)


def _kept(value: Any) -> tuple[Digest | None, Any]:
    """Return the digest of a value and a copy of it; no copy of one that is large, or code."""
    digest = digest_of(value)
    if digest is None or cannot_be_saved(digest):
        return None, value
    if isinstance(value, NUMBERS):
        return digest, value
    return (None, value) if is_large(digest) else (digest, copy_exactly(value))


def _take_back(before: Mapping[str, tuple[Place, Digest | None, Any]], known: set[int]) -> None:
    """Set what has changed to what it was, in place where that can be done.

    Args:
        before: places, with digest and copy of what they held.
        known: ids of the classes and namespaces that there were: names made in these go again.
    """
    for place, at in find_places().items():
        if place not in before:
            if isinstance(at.owner, type) and id(at.owner) in known:
                delattr(at.owner, at.name)
            elif isinstance(at.owner, dict) and id(at.owner) in known:
                at.owner.pop(at.name, None)
            continue
        was, digest, copy = before[place]
        if isinstance(at.owner, CACHED_FUNCTION):
            if digest_of(at.value) != digest:
                at.bind(was.value or Calls([]))
            continue
        if at.value is not was.value:
            at.bind(was.value)
        if digest is None or digest_of(was.value) == digest:
            continue
        if type(was.value) is not type(copy) or not _fill(was.value, copy):
            at.bind(copy)


def _fill(live: Any, saved: Any) -> bool:
    """Set an object to the state of another in place, since others hold it, if that can be done."""
    if isinstance(live, np.random.Generator):
        live.bit_generator.state = saved.bit_generator.state
    elif isinstance(live, np.random.RandomState):
        live.set_state(saved.get_state())
    elif isinstance(live, random.Random):
        live.setstate(saved.getstate())
    elif isinstance(live, np.ndarray) and live.shape == saved.shape and live.flags.writeable:
        live[...] = saved
    elif isinstance(live, list):
        live[:] = saved
    elif isinstance(live, dict | set):
        live.clear()
        live.update(saved)
    elif hasattr(live, "__dict__") and not copyreg._slotnames(type(live)):  # type: ignore[attr-defined]
        vars(live).clear()
        vars(live).update(vars(saved))
    else:
        return False
    return True
