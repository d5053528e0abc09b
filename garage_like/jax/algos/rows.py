"""The row that an epoch has in the log: of one seed, or of many with how far they lie apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from garage_like.algos.finite import check_losses, check_rewards
from garage_like.logging import tabular

RECENT_EPISODES = 100


class EpochRows:
    """Make rows of what epochs yield; remember the last episodes of each seed.

    What an epoch yields has numbers by their key in the log, of any shape; and

        episodes    arrays of one shape: whether an episode ended there; its return, its discounted
                    return, its length, and whether it terminated
        evaluation  the same of episodes that were played to evaluate, if there were any
        learned     whether each update learned; if there, numbers of the others do not count
        finite      whether all weights are; if they are not, there is no row

    Args:
        owner: name of the algorithm.
        num_seeds: if more than 1, arrays have one more axis in front.
    """

    def __init__(self, owner: str, num_seeds: int) -> None:
        self._owner = owner
        self._num_seeds = num_seeds
        self._recent: list[list[tuple[float, float]]] = [[] for _ in range(num_seeds)]

    def record(self, itr: int, found: dict[str, Any], others: Mapping[str, float]) -> float:
        """Record the metrics of an epoch.

        Args:
            itr: the trainer's counter.
            found: what the epoch yielded.
            others: numbers that all seeds have in common.

        Returns:
            The average return.

        Raises:
            ValueError: if a loss or a weight is not finite.
        """
        rows = [
            self._row(
                seed, found if self._num_seeds == 1 else jax.tree.map(lambda x, i=seed: x[i], found)
            )
            for seed in range(self._num_seeds)
        ]
        tabular.record("Evaluation/Iteration", itr)
        for key in rows[0]:
            tabular.record(key, _mean([row[key] for row in rows]))
        for key, value in others.items():
            tabular.record(key, value)
        returns = [row["Evaluation/AverageReturn"] for row in rows]
        if self._num_seeds > 1:
            for seed, value in enumerate(returns):
                tabular.record(f"Seeds/{seed}/AverageReturn", value)
            known = [value for value in returns if math.isfinite(value)] or [math.nan]
            tabular.record("Seeds/StdOfAverageReturn", float(np.std(known)))
            tabular.record("Seeds/MinOfAverageReturn", min(known))
            tabular.record("Seeds/MaxOfAverageReturn", max(known))
        return _mean(returns)

    def _row(self, seed: int, found: Mapping[str, Any]) -> dict[str, float]:
        numbers = dict(found)
        trained = _ended(numbers.pop("episodes"))
        check_rewards(self._owner, trained[0])
        played = numbers.pop("evaluation", None)
        learned = numbers.pop("learned", None)
        is_finite = numbers.pop("finite")
        row = _performance(*(trained if played is None else _ended(played)))
        for key, values in numbers.items():
            row[key] = _mean(values.ravel() if learned is None else values[learned].ravel())
            has_some = learned is None or learned.any()
            if has_some:
                check_losses(self._owner, {key: row[key]})
        if not is_finite:
            raise ValueError(
                f"{self._owner}: the weights are not finite after the last gradient step of this"
                " epoch, which is not saved; lower the learning rate"
            )
        recent = self._recent[seed]
        returns, _, lengths, _ = trained
        recent += zip(returns.tolist(), lengths.tolist(), strict=True)
        del recent[:-RECENT_EPISODES]
        row["Extras/EpisodeRewardMean"] = _mean([total for total, _ in recent])
        row["Extras/EpisodeLengthMean"] = _mean([length for _, length in recent])
        return row


def episodes_of(episode: Any, terminated: Any, truncated: Any) -> tuple[Any, ...]:
    """Return what a row is made of: of how episodes stood at env steps, and which ended there.

    Args:
        episode: shape (..., 4), see `Learner.episode`.
        terminated: shape (...).
        truncated: shape (...).
    """
    total, discounted, _, length = (episode[..., i] for i in range(4))
    return terminated | truncated, total, discounted, length, terminated


def _ended(episodes: Sequence[np.ndarray]) -> list[np.ndarray]:
    has_ended, *others = episodes
    return [values[has_ended] for values in others]


def _performance(
    returns: np.ndarray, discounted: np.ndarray, lengths: np.ndarray, terminated: np.ndarray
) -> dict[str, float]:
    """Name what `evaluation.log_performance` records of episodes."""
    returns = returns.astype(np.float64)
    return {
        "Evaluation/NumEpisodes": len(returns),
        "Evaluation/AverageDiscountedReturn": _mean(discounted),
        "Evaluation/AverageReturn": _mean(returns),
        "Evaluation/StdReturn": float(returns.std()) if len(returns) else math.nan,
        "Evaluation/MaxReturn": float(returns.max()) if len(returns) else math.nan,
        "Evaluation/MinReturn": float(returns.min()) if len(returns) else math.nan,
        "Evaluation/TerminationRate": _mean(terminated),
    }


def _mean(values: Any) -> float:
    return float(np.mean(values, dtype=np.float64)) if len(values) else math.nan
