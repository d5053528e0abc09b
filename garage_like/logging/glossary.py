"""What the columns mean that every run has, and to which of three groups a column belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garage_like.logging.episode_metrics import METRICS as EPISODE_METRICS

GROUPS = ("train", "evaluation", "misc")

# Recorded by `log_performance`, which on-policy algorithms call with what they trained on.
EVALUATION_METRICS: dict[str, str] = {
    "Evaluation/Iteration": "Train calls before this one.",
    "Evaluation/NumEpisodes": "Episodes that are counted here.",
    "Evaluation/AverageDiscountedReturn": "Mean of their discounted returns.",
    "Evaluation/AverageReturn": "Mean of their undiscounted returns.",
    "Evaluation/StdReturn": "Standard deviation of these.",
    "Evaluation/MaxReturn": "The largest of these.",
    "Evaluation/MinReturn": "The least of these.",
    "Evaluation/TerminationRate": "Share of episodes that ended by themselves, not by a limit.",
}

# Recorded by the Trainer and the sampler.
PROGRESS_METRICS: dict[str, str] = {
    "TotalEnvSteps": "Env steps of the run so far, over all resumes.",
    "EnvExecTime": "Seconds of the epoch spent in the environment.",
    "PolicyExecTime": "Seconds of the epoch spent on choosing actions.",
    "ProcessExecTime": "Seconds of the epoch spent on putting episodes together.",
    "EpochTime": "Seconds that the epoch took.",
    "TotalTime": "Seconds of training so far, over all resumes.",
}

OCCASIONAL_METRICS: dict[str, str] = {
    "Evaluation/SuccessRate": "Share of episodes with success, where the environment reports it.",
    "Snapshot/Failures": "Snapshots that could not be written since the epoch before.",
}

COMMON_METRICS: dict[str, str] = {**EPISODE_METRICS, **EVALUATION_METRICS, **PROGRESS_METRICS}


def group_of(column: str) -> str:
    """Return the group of a column: 'train', 'evaluation' or 'misc' (counters and times)."""
    if column.startswith("Evaluation/"):
        return "evaluation"
    if column in PROGRESS_METRICS or column.startswith("Snapshot/"):
        return "misc"
    return "train"


def grouped(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort a row's columns into the groups, each in the row's order.

    Returns:
        `{'train': {…}, 'evaluation': {…}, 'misc': {…}}`.
    """
    groups: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    for column, value in row.items():
        groups[group_of(column)][column] = value
    return groups
