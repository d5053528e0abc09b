"""Digests that tell what a value is now from what it comes to later."""

from __future__ import annotations

from typing import Any

from garage_like.snapshot.disk.digests import file_digest_of
from garage_like.snapshot.graph.pickling import GraphPickler
from garage_like.snapshot.graph.places import NUMBERS
from garage_like.snapshot.graph.process_places import state_of_generator

LARGE = 1 << 24
"""Bytes of arrays from which on a part of them is looked at in each save, and not all."""

Digest = tuple[str, ...]
"""Of a value's pickle, then of each part of its arrays."""

NOTHING: Digest = ()
"""Of what was not there."""

_UNSAVED = "cannot be saved"
_PART = 1 << 20
_MOST_PARTS = LARGE // _PART


def _parts(value: Any) -> tuple[bytes, list[memoryview]] | None:
    """Return the pickle of a value, and its arrays in parts; None if it cannot be saved."""
    try:
        pickler = GraphPickler({"value": value}, keep_live=False)
        content = pickler.save()
    except Exception:  # whatever a foreign object raises: it cannot be saved
        return None
    buffers = [buffer.data for buffer in pickler.buffers]
    return content, [b[at : at + _PART] for b in buffers for at in range(0, b.nbytes, _PART)]


def digest_of(value: Any) -> Digest | None:
    """Return what tells a value from a later one; None if nobody can."""
    if isinstance(value, NUMBERS):
        return (repr(value),)
    found = _parts(value)
    if found is None:
        state = state_of_generator(value)
        seen = None if state is None else digest_of(state)
        return None if seen is None else (_UNSAVED, *seen)
    return tuple(file_digest_of([part]).digest for part in _all(*found))


def is_large(digest: Digest) -> bool:
    """Tell whether the arrays are looked at in parts."""
    return len(digest) > _MOST_PARTS


def cannot_be_saved(digest: Digest | None) -> bool:
    """Tell whether a value cannot be saved, though it may be known when it changes."""
    return digest is None or digest[:1] == (_UNSAVED,)


def is_same(value: Any, before: Digest, turn: int) -> bool:
    """Tell whether a value is what it was, as far as it is looked at in this turn.

    All of it, unless its arrays are large: then other parts of them in each turn.
    """
    if isinstance(value, NUMBERS):
        return before == (repr(value),)
    found = _parts(value)
    if found is None:
        return digest_of(value) == before
    parts = _all(*found)
    if len(parts) != len(before):
        return False
    looked_at = range(len(parts))
    if len(parts) > _MOST_PARTS:
        start = turn * _MOST_PARTS % len(parts)
        looked_at = range(start, min(start + _MOST_PARTS, len(parts)))
    return all(file_digest_of([parts[n]]).digest == before[n] for n in {0, *looked_at})


def _all(content: bytes, parts: list[memoryview]) -> list[Any]:
    return [content, *parts]
