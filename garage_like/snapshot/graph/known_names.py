"""Naming the arrays of capture after capture without a walk through the graph each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garage_like.snapshot.graph.naming import Name, names_of
from garage_like.snapshot.graph.pickling import GraphPickler
from garage_like.snapshot.kinds.arrays import View


class KnownNames:
    """Remember what the arrays of a graph are called, from one capture to the next.

    The walk that finds names takes as long as a third of a capture, and nearly always finds what it
    found before. Pickle meets the arrays of a graph in an order that is the graph's; so an array
    is where it was if it is met when it was, and a new one in the place of an old one (a gradient,
    say) bears its name. The walk is taken again when the number of arrays, a shape or a type is
    another, or when an array is met in the place of another one that was known: two networks that
    change places, say.

    Attributes:
        kept: what kinds keep from one capture to the next.
    """

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}
        self._views: list[View] = []
        self._owners: list[Any] = []
        self._order: list[int] = []
        self._others: set[int] = set()
        self._names: dict[int, Name] = {}

    def names(self, graph: Mapping[str, Any], pickler: GraphPickler) -> dict[int, Name]:
        """Return the names, by id, of arrays, replay memories and all else that a pickler met."""
        stand_ins = pickler.stand_ins
        views = [view for in_buffer in pickler.views for view in in_buffer]
        owners = [stand_ins.get(id(view.owner), view.owner) for view in views]
        others = {*pickler.replay_memories, *pickler.generators, *pickler.made_again}
        is_in_order = pickler.order == self._order
        if is_in_order and others == self._others and self._is_as_before(views, owners):
            for old, new in zip(self._owners, owners, strict=True):
                if new is not old and id(old) in self._names:
                    self._names[id(new)] = self._names.pop(id(old))
        else:
            self._names = names_of(graph, pickler.replay_memories)
        self._others, self._order = others, pickler.order
        self._views, self._owners = views, owners  # kept alive: an id goes on meaning the same
        names = dict(self._names)
        for array, owner in stand_ins.items():
            if id(owner) in names:
                names[array] = names[id(owner)]
        return names

    def _is_as_before(self, views: list[View], owners: list[Any]) -> bool:
        if not self._names or len(views) != len(self._views):
            return False
        known = set(map(id, self._owners))
        return all(
            new is old
            or (id(new) not in known and was.shape == now.shape and was.dtype == now.dtype)
            for old, new, was, now in zip(self._owners, owners, self._views, views, strict=True)
        )
