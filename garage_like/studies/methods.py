"""Study: methods compared by the scores of their runs."""

from __future__ import annotations

import html
import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from garage_like.studies import estimates
from garage_like.studies.estimates import AGGREGATE_REPS, PAIRWISE_REPS, Estimate
from garage_like.studies.scores import Scores, read_scores

AGGREGATES = ("mean", "IQM", "optimality gap")
PROFILE_POINTS = 81


@dataclass(frozen=True)
class Study:
    """Tell how methods compare, and how far that can be trusted.

    In a notebook it shows its aggregates.

    Attributes:
        scores: what is compared.
        confidence: of intervals.
        seed: of the bootstrap.
        reps: resamples for aggregates.
        pairwise_reps: resamples for probabilities of improvement, and for profiles.
    """

    scores: Scores
    confidence: float = 0.95
    seed: int = 0
    reps: int = AGGREGATE_REPS
    pairwise_reps: int = PAIRWISE_REPS

    def aggregates(self) -> dict[str, dict[str, Estimate]]:
        """Return mean, IQM and optimality gap of each method; the gap only of scaled scores."""
        names = AGGREGATES if self.scores.scales else AGGREGATES[:2]

        def statistic(scores: np.ndarray) -> np.ndarray:
            found = [estimates.mean(scores), estimates.iqm(scores)]
            found += [estimates.optimality_gap(scores)] if self.scores.scales else []
            return np.stack(found, axis=-1)

        result = {}
        for method, scores in self.scores.methods.items():
            of_all = estimates.bootstrap(scores, statistic, reps=self.reps, **self._options)
            result[method] = {
                name: Estimate(of_all.value[i], of_all.low[i], of_all.high[i])
                for i, name in enumerate(names)
            }
        return result

    def improvements(self) -> dict[tuple[str, str], Estimate]:
        """Return the probability that a run of one method beats one of another, for each pair."""
        methods = self.scores.methods
        return {
            (one, other): estimates.bootstrap_improvement(
                methods[one], methods[other], reps=self.pairwise_reps, **self._options
            )
            for one, other in itertools.combinations(methods, 2)
        }

    def profiles(self, taus: np.ndarray | None = None) -> tuple[np.ndarray, dict[str, Estimate]]:
        """Return thresholds, and the fraction of each method's runs that score above each."""
        if taus is None:
            together = np.concatenate([one.ravel() for one in self.scores.methods.values()])
            taus = np.linspace(together.min(), together.max(), PROFILE_POINTS)
        at = taus
        return taus, {
            method: estimates.bootstrap(
                scores,
                lambda resamples: estimates.profile(resamples, at),
                reps=self.pairwise_reps,
                **self._options,
            )
            for method, scores in self.scores.methods.items()
        }

    @property
    def _options(self) -> dict[str, Any]:
        return {"confidence": self.confidence, "seed": self.seed}

    def _repr_html_(self) -> str:
        """Show the aggregates in a notebook."""
        aggregates = self.aggregates()
        names = list(next(iter(aggregates.values())))
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ["", *names])
        rows = "".join(
            f"<tr><th>{html.escape(method)}</th>"
            + "".join(f"<td>{html.escape(shown(found[name]))}</td>" for name in names)
            + "</tr>"
            for method, found in aggregates.items()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def shown(estimate: Estimate) -> str:
    """Return a number with its interval: 0.83 [0.78, 0.88]."""
    return f"{estimate.value:.4g} [{estimate.low:.4g}, {estimate.high:.4g}]"


def study(
    *paths: str | os.PathLike[str],
    confidence: float = 0.95,
    seed: int = 0,
    reps: int = AGGREGATE_REPS,
    **options: Any,
) -> Study:
    """Read the scores of runs, to compare methods by them.

    Args:
        *paths: run directories, or folders of such.
        confidence: of intervals.
        seed: of the bootstrap.
        reps: resamples for aggregates.
        **options: of `read_scores`: by, task, metric, last, scales.

    Raises:
        ValueError: as in `read_scores`.
    """
    where: Iterable[Path] = map(Path, paths)
    return Study(read_scores(where, **options), confidence, seed, reps)
