"""Walk the object graph of a run: what is reachable, and under which path.

A path reads like code: `algo.policy._module.0.weight`. It names tensors in snapshot files, points
at what cannot be pickled, and says where two states differ.
"""

from __future__ import annotations

import collections
import enum
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from garage_like.snapshot.graph.parts import parts_of
from garage_like.snapshot.kinds.attributes import ATOMS, CODE, Part, is_constant
from garage_like.snapshot.kinds.kind import digest_of_bits
from garage_like.snapshot.kinds.registry import KINDS

_SHOWN_WHOLE = 100
_DEEPEST_PATH = 30


def walk(graph: Mapping[str, Any]) -> Iterator[Part]:
    """Yield every object that a graph reaches as (path, object), parents first.

    Constants are yielded wherever they are found, all else once.

    Args:
        graph: top-level objects by name. An object that is reachable by several paths is known by
            one from the first of them that reaches it, and there by the shortest.
    """
    seen: dict[int, Any] = {}
    for name, top in graph.items():
        queue: collections.deque[Part] = collections.deque([(name, top)])
        while queue:
            path, value = queue.popleft()
            if is_constant(value):
                yield path, value
            elif id(value) not in seen:
                seen[id(value)] = value
                yield path, value
                queue.extend((path + label, child) for label, child in parts_of(value))


def leaves(graph: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest for everything that a graph reaches, by path; of an object, its class.

    Two states are equal, bit for bit, exactly if these are: what the promise of exact resume is
    tested with.
    """
    found: dict[str, str] = {}
    for path, value in walk(graph):
        unique, number = path, 1
        while unique in found:
            number += 1
            unique = f"{path}#{number}"
        found[unique] = leaf_digest(value) or _name(type(value))
    return found


def leaf_digest(value: Any) -> str | None:
    """Return type and value, or type and digest of the bits; None if a value has parts instead."""
    if isinstance(value, enum.Enum):
        return f"{_name(type(value))}.{value.name}"
    if is_constant(value) or isinstance(value, ATOMS):
        return f"{_name(type(value))}:{_shown(value)}"
    if isinstance(value, CODE):
        return f"code:{_name(value)}"
    digests = (kind.digest(value) for kind in KINDS.of(type(value)))
    return next((digest for digest in digests if digest is not None), None)


def _shown(value: Any) -> str:
    """Return a constant's repr, sets in order, and long ones as a digest."""
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_shown, value)))}}}"
    text = repr(value)
    return text if len(text) <= _SHOWN_WHOLE else digest_of_bits(text.encode())


def _name(code: Any) -> str:
    """Return module and name; not the qualified name, which classes lose when pickled by value."""
    return f"{getattr(code, '__module__', '')}.{getattr(code, '__name__', '')}"


def find_unpicklable(graph: Mapping[str, Any], can_pickle: Callable[[Any], bool]) -> str | None:
    """Return the path of the object that keeps a graph from being pickled.

    Args:
        graph: top-level objects by name.
        can_pickle: tells whether a value pickles on its own.
    """
    chain = unpicklable_chain(graph, can_pickle)
    return chain[-1][0] if chain else None


def unpicklable_chain(graph: Mapping[str, Any], can_pickle: Callable[[Any], bool]) -> list[Part]:
    """Return the objects that keep a graph from being pickled, each a part of the one before."""
    chain: list[Part] = []
    candidates = list(graph.items())
    seen: set[int] = set()
    while candidates and len(chain) < _DEEPEST_PATH:
        label, value = candidates.pop(0)
        if id(value) in seen or can_pickle(value):
            continue
        seen.add(id(value))
        chain.append((chain[-1][0] + label if chain else label, value))
        candidates = parts_of(value)
    return chain
