"""PEARLWorker: whole episodes, by the mode of a policy if they tell how good it is."""

from __future__ import annotations

from typing import Any

from garage_like.evaluation import DeterministicAgent
from garage_like.sampler.default_worker import DefaultWorker


class PEARLWorker(DefaultWorker):
    """Play whole episodes, each on a guess at the task of its own.

    Args:
        deterministic: act by the mode of the policy's distribution, given the guess.
        accum_context: has no effect: what was played is added to the context by the algorithm.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT); None leaves that
            to the environment.
    """

    def __init__(
        self,
        *,
        deterministic: bool = False,
        accum_context: bool = False,
        seed: int | None = None,
        max_episode_length: int | None = None,
        worker_number: int = 0,
    ) -> None:
        super().__init__(
            seed=seed, max_episode_length=max_episode_length, worker_number=worker_number
        )
        self._deterministic = deterministic

    def update_agent(self, agent_update: Any) -> None:
        if self._deterministic and hasattr(agent_update, "get_action"):
            agent_update = DeterministicAgent(agent_update)
        super().update_agent(agent_update)
