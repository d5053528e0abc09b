"""SARSA: learn what the policy that explores will earn."""

from __future__ import annotations

import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.np.algos.tabular import TabularAlgorithm


class SARSA(TabularAlgorithm):
    """Move Q(s, a) towards r + discount * Q(s', a'), where a' is what the policy does next.

    Rummery & Niranjan 1994. Arguments are those of TabularAlgorithm. Where a batch ends before a'
    is known, it is drawn from the exploration policy.
    """

    def _following_actions(self, episodes: EpisodeBatch) -> np.ndarray:
        following = np.empty(episodes.num_steps, np.int64)
        following[:-1] = episodes.actions[1:]
        drawn, _ = self.exploration_policy.actor().act(episodes.last_observations, self._rng)
        following[episodes.ends - 1] = drawn
        return following

    def _value_after(self, observation: int, action: int) -> float:
        return float(self._qf.table[observation, action])
