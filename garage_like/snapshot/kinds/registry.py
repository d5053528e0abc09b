"""The kinds that there are: who is to be asked about a class, and in which order."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

from garage_like.snapshot.kinds.kind import Kind


class Registry:
    """Kinds in the order in which they are asked: those of users before those that come along.

    Args:
        kinds: that come along.
    """

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._own: list[Kind] = []
        self._kinds = list(kinds)
        self.of = functools.lru_cache(4096)(self._of)

    def register(self, kind: Kind) -> None:
        """Ask a kind from now on; it takes the place of one of the same name."""
        if not isinstance(kind, Kind) or not kind.name.isidentifier():
            raise TypeError(
                "register_kind: expected an instance of a class derived from Kind, its `name` an"
                f" identifier such as 'mylibrary', got {kind!r}"
            )
        self._own = [*(other for other in self._own if other.name != kind.name), kind]
        self.of.cache_clear()

    def __iter__(self) -> Iterator[Kind]:
        """Yield all kinds."""
        yield from (*self._own, *self._kinds)

    def loaded(self) -> list[Kind]:
        """Return the kinds whose library this process uses."""
        return [kind for kind in self if kind.is_loaded()]

    def _of(self, cls: type) -> tuple[Kind, ...]:
        """Return the kinds that have something to say about a class."""
        return tuple(kind for kind in self if kind.claims(cls))


KINDS = Registry()
"""Of this process: what a library's objects are is the same for every run in it."""


def register_kind(kind: Kind) -> None:
    """Tell snapshots how objects of a library are saved; before anything is saved or restored.

    Args:
        kind: takes the place of one of the same name.
    """
    KINDS.register(kind)
