"""SumTree: draw rows in proportion to their weight, change weights, both in logarithmic time."""

from __future__ import annotations

from typing import Any

import numpy as np

_PARTS = 32
_TOP = 4096


class SumTree:
    """Keep a weight for each of up to `capacity` rows, sums of 32 of them, sums of 32 sums, ...

    Every sum is made of its parts, from left to right, each time that one of them changes; so
    sums depend on the weights alone and not on how they came about, and a tree that is rebuilt
    from its leaves is equal bit for bit. Only the leaves are pickled. Nodes are wide and there are
    up to 4,096 of them at the top, since NumPy is at its best on a few long arrays.

    Args:
        capacity: rows.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Set all weights to 0, and give their memory back."""
        self._num_rows = 0
        nodes = -(-self._capacity // _PARTS)
        self._levels = [np.zeros((nodes, _PARTS))]
        while nodes > _TOP:
            nodes = -(-nodes // _PARTS)
            self._levels.append(np.zeros((nodes, _PARTS)))
        self._top = np.zeros(nodes)

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(self._top.cumsum()[-1])

    @property
    def weights(self) -> np.ndarray:
        """Weights of rows 0 to the last one that was set, float64: a view to read."""
        view = self._levels[0].reshape(-1)[: self._num_rows]
        view.flags.writeable = False
        return view

    def set(self, rows: np.ndarray, weights: np.ndarray) -> None:
        """Change weights; where a row comes twice, the last one holds.

        Args:
            rows: shape (B,), below the capacity.
            weights: shape (B,), 0 or more.
        """
        if not len(rows):
            return
        self._num_rows = max(self._num_rows, int(rows.max()) + 1)
        for level in self._levels:
            level.reshape(-1)[rows] = weights
            rows = rows // _PARTS
            weights = level.take(rows, axis=0).cumsum(axis=1)[:, -1]
        self._top[rows] = weights

    def find(self, masses: np.ndarray) -> np.ndarray:
        """Return the row in which each mass falls when all weights are laid end to end.

        Args:
            masses: shape (B,), in [0, total).

        Returns:
            Shape (B,); rows of weight 0 are never among them.
        """
        sums = self._top.cumsum()
        # Rounding may leave a mass that is just too large: the last part with weight has it.
        masses = np.minimum(masses, np.nextafter(sums[-1], 0.0))
        nodes = sums.searchsorted(masses, side="right")
        masses = masses - (sums - self._top)[nodes]
        for level in reversed(self._levels):
            weights = level.take(nodes, axis=0)
            sums = weights.cumsum(axis=1)
            masses = np.clip(masses, 0.0, np.nextafter(sums[:, -1], 0.0))
            parts = (sums > masses[:, None]).argmax(axis=1)
            chosen = np.arange(len(nodes)), parts
            masses = masses - (sums[chosen] - weights[chosen])
            nodes = nodes * _PARTS + parts
        return nodes

    def __getstate__(self) -> dict[str, Any]:
        """Return the leaves; the sums follow from them."""
        return {"capacity": self._capacity, "weights": self.weights.copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the sums again."""
        self._capacity = state["capacity"]
        self.clear()
        self.set(np.arange(len(state["weights"])), state["weights"])
