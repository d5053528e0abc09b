"""Rungs: successive halving that does not wait for all, and decides alike whatever comes first.

A rung is a number of epochs at which a trial is compared with those of smaller numbers. It is
filled in the order of the numbers, not in that of arrival: what is decided of trial k follows from
trials 0 to k alone. A trial that comes early is put by, which costs nothing, as it goes on exactly.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from garage_like.sweeps.journal import Journal


@dataclass(frozen=True)
class Rungs:
    """Compare trials after `first` epochs, `first * factor`, and so on.

    Attributes:
        first: epochs that every trial gets.
        factor: about one in so many goes on at each rung, and the next has so many times as many
            epochs.
    """

    first: int = 1
    factor: int = 3

    def __post_init__(self) -> None:
        if self.first < 1 or self.factor < 2:
            raise ValueError(
                "Rungs: first must be at least 1 and factor at least 2, got"
                f" {self.first!r} and {self.factor!r}"
            )

    def decide(
        self,
        names: Sequence[str],
        journal: Journal,
        has_ended: Callable[[str], bool],
        waits_after: Callable[[str, int], bool],
        score: Callable[[str], float | None],
    ) -> dict[str, int]:
        """Decide what can be decided.

        Returns:
            Where each trial that goes on is to be judged next; a rung that it has reached already
            if it waits there. A trial that is given up has none.
        """
        left = dict.fromkeys(names, self.first)
        for rung in self._rungs():
            if rung not in left.values():
                return left
            kept: list[float] = []
            is_complete = True
            for name in names:
                if left.get(name) != rung:
                    continue
                key = f"{name} after {rung} epochs"
                known = journal.decisions.get(key)
                if known is None:
                    if has_ended(name):
                        del left[name]
                        continue
                    is_complete = is_complete and waits_after(name, rung)
                    if not is_complete:
                        continue
                    known = journal.decided(key, functools.partial(self._judge, score(name), kept))
                if known["score"] is not None:
                    kept.append(known["score"])
                if known["goes_on"]:
                    left[name] = rung * self.factor
                else:
                    del left[name]
        return left

    def _rungs(self) -> Iterator[int]:
        rung = self.first
        while True:
            yield rung
            rung *= self.factor

    def _judge(self, score: float | None, before: Sequence[float]) -> dict[str, Any]:
        goes_on = True
        if before:
            bar = float(np.percentile(before, 100.0 * (1.0 - 1.0 / self.factor)))
            goes_on = score is not None and score >= bar
        return {"score": score, "goes_on": goes_on}
