"""EpisodeBatch and TimeStepBatch: what samplers hand to algorithms. NumPy only.

Legend of array shapes, used in every docstring:

    N   episodes (or fragments of episodes) in a batch
    T   steps of the longest episode in a batch
    S   steps of all episodes in a batch, one after the other: S = sum(lengths)
    O*  shape of one observation        A*  shape of one action

An env step holds the observation *before* the action, so the observation after an episode's last
action is not among the S observations: it is in `last_observations`.
"""

from __future__ import annotations

from garage_like.data.env_step import EnvStep, StepType
from garage_like.data.episode_batch import EpisodeBatch
from garage_like.data.infos import Infos
from garage_like.data.time_step_batch import TimeStepBatch

__all__ = ["EnvStep", "EpisodeBatch", "Infos", "StepType", "TimeStepBatch"]
