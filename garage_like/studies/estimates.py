"""Estimates from a few seeds, with stratified bootstrap intervals.

Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice"
(arXiv:2108.13264). Definitions are those of rliable, the authors' library, and so are random
numbers: the same seed gives the same intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

AGGREGATE_REPS = 50_000
PAIRWISE_REPS = 2_000
_AT_ONCE = 4_000_000

Statistic = Callable[[np.ndarray], np.ndarray]
"""Scores of shape (R, N, M) to values of shape (R, ...): for each of R resamples at once."""


@dataclass(frozen=True)
class Estimate:
    """A number, or an array of such, and where it lies with the confidence that was asked for.

    Attributes:
        value: from the scores as they are.
        low: lower end of the interval.
        high: upper end.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def mean(scores: np.ndarray) -> np.ndarray:
    """Return the mean over runs and tasks; scores: shape (..., N runs, M tasks)."""
    found: np.ndarray = scores.mean(axis=-2).mean(axis=-1)
    return found


def iqm(scores: np.ndarray) -> np.ndarray:
    """Return the interquartile mean: of what is left without the best and the worst quarter."""
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = int(0.25 * flat.shape[-1])
    found: np.ndarray = flat[..., cut : flat.shape[-1] - cut].mean(axis=-1)
    return found


def optimality_gap(scores: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """Return by how much scores fail to reach gamma on average; what is above counts as gamma."""
    found: np.ndarray = gamma - np.minimum(scores, gamma).mean(axis=(-2, -1))
    return found


def profile(scores: np.ndarray, taus: np.ndarray) -> np.ndarray:
    """Return the fraction of runs, over all tasks, that score above each tau: shape (..., T)."""
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    above = [(flat > tau).mean(axis=-1) for tau in taus]
    return np.stack(above, axis=-1)


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return how likely a run of one beats a run of the other, averaged over tasks.

    The Mann-Whitney U statistic: a tie counts half.

    Args:
        ours: shape (N, M).
        theirs: shape (K, M).
    """
    difference = ours[:, None, :] - theirs[None, :, :]
    wins = (difference > 0).mean(axis=(0, 1)) + 0.5 * (difference == 0).mean(axis=(0, 1))
    return float(wins.mean())


def bootstrap(
    scores: np.ndarray,
    statistic: Statistic,
    *,
    reps: int = AGGREGATE_REPS,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Estimate a statistic; its interval has the percentiles of resamples.

    Each task's runs are drawn again from the runs of that task, with replacement.

    Args:
        scores: shape (N runs, M tasks).
        statistic: of many resamples at once.
        reps: resamples.
        confidence: of the interval.
        seed: of what is drawn.
    """
    rng = np.random.RandomState(seed)
    n_runs, n_tasks = scores.shape
    tasks = np.arange(n_tasks)
    found, left = [], reps
    while left:
        count = min(left, max(1, _AT_ONCE // scores.size))
        drawn = rng.choice(n_runs, (count, n_runs, n_tasks), replace=True)
        found.append(statistic(scores[drawn, tasks]))
        left -= count
    return _estimate(statistic(scores[None])[0], np.concatenate(found), confidence)


def bootstrap_improvement(
    ours: np.ndarray,
    theirs: np.ndarray,
    *,
    reps: int = PAIRWISE_REPS,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Estimate the probability of improvement; both sides are drawn again, each from its own runs.

    Args:
        ours: shape (N, M).
        theirs: shape (K, M).
        reps: resamples.
        confidence: of the interval.
        seed: of what is drawn.
    """
    rng = np.random.RandomState(seed)
    tasks = np.arange(ours.shape[1])
    found = np.empty(reps)
    for rep in range(reps):
        one, other = (
            scores[rng.choice(len(scores), scores.shape, replace=True), tasks]
            for scores in (ours, theirs)
        )
        found[rep] = probability_of_improvement(one, other)
    return _estimate(np.asarray(probability_of_improvement(ours, theirs)), found, confidence)


def _estimate(value: np.ndarray, found: np.ndarray, confidence: float) -> Estimate:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    outside: Sequence[float] = (50.0 * (1.0 - confidence), 50.0 * (1.0 + confidence))
    low, high = np.percentile(found, outside, axis=0)
    return Estimate(np.asarray(value), np.asarray(low), np.asarray(high))
