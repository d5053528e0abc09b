"""What every row of the log says of the episodes that training collected since the row before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from garage_like.logging.tracked_data import tracked

if TYPE_CHECKING:
    from garage_like.data.batches import EpisodeBatch

_SUBJECTS = {
    "Reward/Instantaneous reward": "Reward of one env step",
    "Reward/Total reward": "Undiscounted return of the episodes that ended",
    "Episode/Total timesteps": "Length of the episodes that ended, in env steps",
}
_STATISTICS = {"max": "the largest", "min": "the least", "mean": "their mean"}

_NOTHING = np.empty(0)
_TAGS = {
    subject: [f"{subject} ({statistic})" for statistic in _STATISTICS] for subject in _SUBJECTS
}

METRICS: dict[str, str] = {
    tag: f"{text}: {which} since the row before."
    for subject, text in _SUBJECTS.items()
    for tag, which in zip(_TAGS[subject], _STATISTICS.values(), strict=True)
}


def track_episodes(episodes: EpisodeBatch) -> None:
    """Track rewards, and returns and lengths of what ended in a batch, for the next row.

    Of an episode that came in fragments, return and length are those of the whole. As long as no
    episode ended, they are NaN.
    """
    _track("Reward/Instantaneous reward", episodes.rewards)
    ended = episodes.have_ended
    infos = episodes.episode_infos_by_episode
    if not ended.any():
        returns = lengths = _NOTHING
    elif "EpisodeReturn" in infos:
        returns, lengths = infos["EpisodeReturn"][ended], infos["EpisodeLength"][ended]
    else:
        starts = episodes.ends - episodes.lengths
        returns = np.add.reduceat(episodes.rewards, starts)[ended]
        lengths = episodes.lengths[ended]
    _track("Reward/Total reward", returns)
    _track("Episode/Total timesteps", lengths)


def _track(subject: str, values: np.ndarray) -> None:
    count = len(values)
    if count > 1:
        tracked.add(f"{subject} (max)", count, float(values.max()))
        tracked.add(f"{subject} (min)", count, float(values.min()))
        tracked.add(f"{subject} (mean)", count, float(values.sum(dtype=np.float64)))
        return
    # Off-policy algorithms may come here with every env step, where NumPy would take its time.
    number = float(values[0]) if count else math.nan
    for tag in _TAGS[subject]:
        tracked.add(tag, count, number)
