"""The half of REPS that needs no framework: the dual function, its minimum, and the weights.

Each step's weight exp(delta / eta) says how much better it turned out than expected; eta is chosen
so that the weighted steps stay within `epsilon` of those that were sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_SMALLEST_ETA = 1e-6


@dataclass(frozen=True, eq=False)
class DualFunction:
    """Compute g(eta, v) = eta epsilon + eta log mean exp(delta / eta), and its gradient.

    Here delta = r + v (phi' - phi). Equation 4 of section 2.3 in Peters et al. 2010, "Relative
    Entropy Policy Search"; the penalty is an addition.

    Attributes:
        rewards: r, shape (S,).
        feature_differences: phi' - phi, shape (S, F), of each step.
        epsilon: bound of the relative entropy, in nats.
        penalty: weight of |v|^2, which keeps v finite where the features of weighted steps cannot
            flow in as they flow out: where episodes end.
    """

    rewards: np.ndarray
    feature_differences: np.ndarray
    epsilon: float
    penalty: float = 0.0

    def deltas(self, v: np.ndarray) -> np.ndarray:
        """Return delta, shape (S,): how much better than expected each step was."""
        return self.rewards + self.feature_differences @ v

    def __call__(self, eta: float, v: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Return g, its derivative by eta, and its gradient by v, shape (F,)."""
        deltas = self.deltas(v)
        largest = deltas.max()
        exponents = (deltas - largest) / eta
        weights = np.exp(exponents)
        total = weights.sum()
        log_mean = math.log(total / len(deltas))
        weights /= total
        value = eta * self.epsilon + largest + eta * log_mean
        slope = self.epsilon + log_mean - float(weights @ exponents)
        value += self.penalty * float(v @ v)
        return value, slope, self.feature_differences.T @ weights + 2.0 * self.penalty * v

    def minimise(
        self, eta: float, v: np.ndarray, max_iterations: int = 50
    ) -> tuple[float, np.ndarray, float]:
        """Minimise by L-BFGS, eta kept positive.

        Args:
            eta: where to start.
            v: where to start, shape (F,).
            max_iterations: of L-BFGS.

        Returns:
            eta, v, and g there.

        Raises:
            ValueError: if the minimum is not finite.
        """
        from scipy import optimize  # of the algorithms, REPS alone needs it

        def at(x: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope, gradient = self(float(x[0]), x[1:])
            return value, np.concatenate([[slope], gradient])

        found = optimize.minimize(
            at,
            np.concatenate([[eta], v]),
            jac=True,
            method="L-BFGS-B",
            bounds=[(_SMALLEST_ETA, None), *[(None, None)] * len(v)],
            options={"maxiter": max_iterations},
        )
        if not np.isfinite(found.x).all() or not math.isfinite(found.fun):
            raise ValueError(
                "REPS: the dual function has no finite minimum; rewards or observations are not "
                f"finite, or epsilon={self.epsilon!r} is too small"
            )
        return float(found.x[0]), found.x[1:], float(found.fun)

    def weights(self, eta: float, v: np.ndarray) -> np.ndarray:
        """Return exp(delta / eta), shape (S,), scaled to a mean of 1."""
        deltas = self.deltas(v)
        weights = np.exp((deltas - deltas.max()) / eta)
        scaled: np.ndarray = weights / weights.mean()
        return scaled


def divergence(weights: np.ndarray) -> float:
    """Compute the relative entropy of weighted steps from those sampled: mean(w log w), in nats.

    Args:
        weights: shape (S,), of mean 1.
    """
    logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0.0)
    return float(np.mean(weights * logs))
