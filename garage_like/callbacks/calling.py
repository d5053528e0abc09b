"""Callbacks of a run: called in turn, saved by name, put in their places after a restore."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from garage_like.callbacks.callback import AnyCallback, Callback, EndedEpoch
from garage_like.logging import logger


class Kept:
    """What snapshots hold of callbacks: an attribute for each; None for a plain function."""


class Callbacks:
    """Call what the script has given, in its order.

    Args:
        given: callbacks, and plain functions that take an `EndedEpoch`.

    Raises:
        TypeError: if something is neither.
    """

    def __init__(self, given: Iterable[AnyCallback] = ()) -> None:
        if callable(given) or not isinstance(given, Iterable):
            raise TypeError(f"callbacks must be a list of callbacks, got {given!r}")
        self._by_name: dict[str, AnyCallback | None] = {}
        for one in given:
            self._by_name[self._free_name(one)] = one
        self._kept = Kept()

    def _free_name(self, one: Any) -> str:
        is_ours = isinstance(one, Callback)
        if isinstance(one, type) or not (is_ours or callable(one)):
            raise TypeError(
                "callbacks must be Callback objects, or functions that take an EndedEpoch; got"
                f" {one!r}"
            )
        name = type(one).__name__ if is_ours else getattr(one, "__name__", type(one).__name__)
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        return next(n for n in itertools.chain([name], numbered) if n not in self._by_name)

    @property
    def kept(self) -> Kept | None:
        """What a snapshot is to hold; None if there are none."""
        if not self._by_name:
            return None
        vars(self._kept).clear()
        for name, one in self._by_name.items():
            vars(self._kept)[name] = one if isinstance(one, Callback) else None
        return self._kept

    @property
    def functions(self) -> dict[str, Any]:
        """Those that a snapshot does not hold, by what users are told of them."""
        return {
            f"the function {name}": one
            for name, one in self._by_name.items()
            if not (one is None or isinstance(one, Callback))
        }

    def restore(self, kept: Kept | None, *, as_given: bool) -> list[str]:
        """Put what a snapshot held in its places.

        Args:
            kept: what was restored.
            as_given: whether a script says which callbacks there are; one that the snapshot knows
                not starts over, and one that the script gives no more is left out.

        Returns:
            What is not here, though the run had it: a sentence each.
        """
        found = {} if kept is None else vars(kept)
        if not as_given:
            self._by_name = dict(found)
        missing = []
        for name, one in found.items():
            if name in self._by_name and one is not None:
                self._by_name[name] = one
            elif name not in self._by_name or self._by_name[name] is None:
                what = "function" if one is None else "callback"
                missing.append(f"the {what} {name} was called after each epoch, and is not now")
        return missing

    def call(self, ended: EndedEpoch) -> str:
        """Call all; return the name of the one that ends training, or ''."""
        ends = ""
        for name, one in self._by_name.items():
            if one is None:
                continue
            goes_on = one.on_epoch_end(ended) if isinstance(one, Callback) else one(ended)
            if goes_on is not None and not goes_on and not ends:
                ends = name
                logger.log(f"{name} ends training with epoch #{ended.epoch}")
        return ends
