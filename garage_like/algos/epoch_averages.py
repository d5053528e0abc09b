"""EpochAverages: what many updates report, averaged over an epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable

from garage_like.interfaces import Metrics


class EpochAverages:
    """Sum metrics up, and forget them when they are taken: so nothing grows without bound.

    Args:
        names: metrics that are always there, so that a log has the same columns from the first
            epoch on; NaN where nothing was added.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, metrics: Metrics) -> None:
        """Add what one update reports."""
        sums, counts = self._sums, self._counts
        for name, value in metrics.items():
            sums[name] = sums.get(name, 0.0) + value
            counts[name] = counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """Return the averages since the last call."""
        averages = dict.fromkeys(self._names, math.nan)
        averages.update({name: total / self._counts[name] for name, total in self._sums.items()})
        self._sums, self._counts = {}, {}
        return averages
