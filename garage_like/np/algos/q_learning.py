"""QLearning: learn what the best actions are worth, whatever was done."""

from __future__ import annotations

from garage_like.np.algos.tabular import TabularAlgorithm


class QLearning(TabularAlgorithm):
    """Move Q(s, a) towards r + discount * max Q(s', .).

    Watkins & Dayan 1992, doi:10.1007/BF00992698. Arguments are those of TabularAlgorithm.
    """

    def _value_after(self, observation: int, action: int) -> float:
        return float(self._qf.table[observation].max())
