"""Who holds which memory of a graph, so that what shares memory goes on sharing it."""

from __future__ import annotations

import bisect
from typing import Any

from garage_like.snapshot.kinds.arrays import View


class MemoryMap:
    """Find the array or storage that holds a stretch of memory: the first one seen that covers it.

    What is registered is kept alive, so an address stands for the same memory throughout.

    Attributes:
        views: what looks at the memory of each holder, by the holder's id.
    """

    def __init__(self) -> None:
        self.views: dict[int, list[View]] = {}
        self._starts: list[int] = []
        self._holders: list[tuple[int, Any]] = []

    def holder(self, start: int, nbytes: int, candidate: Any) -> tuple[Any, int]:
        """Return who holds a stretch of memory, and where the holder's own memory starts.

        Args:
            start: address of the first byte.
            nbytes: length of the stretch, more than 0.
            candidate: becomes its holder if there is none yet; its memory is just this stretch.
        """
        index = bisect.bisect_right(self._starts, start)
        if index:
            end, holder = self._holders[index - 1]
            if start + nbytes <= end:
                return holder, self._starts[index - 1]
        self._starts.insert(index, start)
        self._holders.insert(index, (start + nbytes, candidate))
        self.views[id(candidate)] = []
        return candidate, start

    def hold(self, starts: list[int], holders: list[tuple[int, Any]]) -> bool:
        """Register many holders at once; False, and none, if somebody holds part of it already.

        Args:
            starts: the addresses of the first bytes, in order.
            holders: for each the address after its last byte, and who holds it.
        """
        for start, (end, _) in zip(self._starts, self._holders, strict=True):
            index = bisect.bisect_left(starts, end)
            if index and holders[index - 1][0] > start:
                return False
        pairs = zip([*self._starts, *starts], [*self._holders, *holders], strict=True)
        in_order = sorted(pairs, key=lambda pair: pair[0]) if self._starts else list(pairs)
        self._starts = [start for start, _ in in_order]
        self._holders = [holder for _, holder in in_order]
        self.views.update((id(holder), []) for _, holder in holders)
        return True
