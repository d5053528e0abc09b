"""Scores: one number for each run, as a matrix of runs and tasks for each method.

Reads: what `ls` reads, and `progress.csv`. What is left out so that all is compared with like is
told, and so is what scores are measured by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from garage_like.runs.comparing import runs_of
from garage_like.runs.curves import NothingToDrawError, read_column
from garage_like.runs.overview import RETURN, Overview
from garage_like.runs.selection import SEED, check_names, value_of

LAST = 10


@dataclass(frozen=True)
class Scores:
    """Scores of some methods on some tasks.

    Attributes:
        methods: matrices of shape (N runs, M tasks), by the method's name.
        tasks: names of the columns.
        scales: the scores that 0 and 1 stand for, by task; none where scores are as logged.
        left_out: what is not counted, a sentence each.
    """

    methods: dict[str, np.ndarray]
    tasks: list[str]
    scales: dict[str, tuple[float, float]]
    left_out: list[str]


def read_scores(
    paths: Iterable[Path],
    *,
    by: str = "algo",
    task: str = "env",
    metric: str = RETURN,
    last: int = LAST,
    scales: Mapping[str, tuple[float, float]] | None = None,
) -> Scores:
    """Read a score of each run: the mean of the last rows of its log.

    Every method counts with the same tasks, and with as many runs on each: those of the lowest
    seeds. With several tasks, scores are measured by the worst and the best of each task, unless it
    is said what 0 and 1 stand for.

    Args:
        paths: run directories, or folders of such.
        by: the column or parameter by which methods are told apart.
        task: the one by which tasks are.
        metric: a column of the log.
        last: rows that the score is the mean of.
        scales: what 0 and 1 stand for, by task.

    Raises:
        ValueError: if there are no runs, no such names, or no task that all methods have.
    """
    if last < 1:
        raise ValueError(f"last must be at least 1, got {last!r}")
    runs = runs_of(paths)
    check_names([by, task], runs)
    left_out: list[str] = []
    found: dict[str, dict[str, list[float]]] = {}
    for run in sorted(runs, key=_seed):
        score = _score(run, metric, last, left_out)
        if score is not None:
            of_method = found.setdefault(str(value_of(run, by)), {})
            of_method.setdefault(str(value_of(run, task)), []).append(score)
    if not found:
        raise ValueError(f"no run has a score; {left_out[0] if left_out else 'there are none'}")
    tasks = _tasks_of_all(found, left_out)
    count = min(len(found[method][name]) for method in found for name in tasks)
    surplus = sum(len(found[method][name]) - count for method in found for name in tasks)
    if surplus:
        left_out.append(f"{surplus} runs, so that there are {count} of each method on each task")
    methods = {
        method: np.array([found[method][name][:count] for name in tasks]).T for method in found
    }
    used = _scales(methods, tasks, scales)
    for column, name in enumerate(tasks):
        if name in used:
            low, high = used[name]
            for scores in methods.values():
                scores[:, column] = (scores[:, column] - low) / (high - low)
    return Scores(methods, tasks, used, left_out)


def _seed(run: Overview) -> tuple[float, str]:
    seed = run.parameters.get(SEED)
    return (float(seed) if isinstance(seed, int | float) else float("inf")), run.run


def _score(run: Overview, metric: str, last: int, left_out: list[str]) -> float | None:
    try:
        rows = read_column(Path(run.run), metric)
    except NothingToDrawError as error:
        left_out.append(str(error))
        return None
    if not len(rows):
        left_out.append(f"{run.run}: no row of its log has a number {metric!r}")
        return None
    return float(rows[-last:].mean())


def _tasks_of_all(
    found: Mapping[str, Mapping[str, Sequence[float]]], left_out: list[str]
) -> list[str]:
    every = dict.fromkeys(name for of_method in found.values() for name in of_method)
    tasks = sorted(name for name in every if all(name in of_method for of_method in found.values()))
    if not tasks:
        listed = "; ".join(f"{method}: {', '.join(of)}" for method, of in found.items())
        raise ValueError(f"there is no task that all methods were trained on: {listed}")
    left_out += [f"task {name}: not all methods have it" for name in every if name not in tasks]
    return tasks


def _scales(
    methods: Mapping[str, np.ndarray],
    tasks: Sequence[str],
    given: Mapping[str, tuple[float, float]] | None,
) -> dict[str, tuple[float, float]]:
    given = given or {}
    unknown = [name for name in given if name not in tasks]
    if unknown:
        raise ValueError(f"no task is called {unknown[0]!r}; there are {', '.join(tasks)}")
    scales = dict(given)
    for column, name in enumerate(tasks if len(tasks) > 1 or given else ()):
        if name not in scales:
            together = np.concatenate([scores[:, column] for scores in methods.values()])
            scales[name] = float(together.min()), float(together.max())
        low, high = scales[name]
        if not high > low:
            raise ValueError(f"task {name}: 1 must stand for more than 0 does; got {low}, {high}")
    return scales
