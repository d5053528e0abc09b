"""EvaluationRounds: play the policy once in a while, away from training, and record how it did."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch
from garage_like.data.normalizers import pooled_normalizers
from garage_like.evaluation import log_performance, obtain_evaluation_episodes
from garage_like.interfaces import Environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garage_like.interfaces import Policy, RunHandle


class EvaluationRounds:
    """Evaluate in copies of the environment, with random numbers of its own.

    Args:
        num_episodes: in each round and environment; 0 evaluates nothing.
        env: where; None for the environment that is trained in; a list for several tasks, whose
            episodes count alike.
        max_episode_length: env steps after which an episode is cut off; None leaves that to the
            environment.
        deterministic: take the mode of the policy's distribution instead of a sample.

    Raises:
        ValueError: if num_episodes is negative.
    """

    def __init__(
        self,
        num_episodes: int,
        env: Environment | Sequence[Environment] | None = None,
        *,
        max_episode_length: int | None = None,
        deterministic: bool = True,
    ) -> None:
        if num_episodes < 0:
            raise ValueError(f"num_evaluation_episodes must be 0 or more, got {num_episodes!r}")
        self._num_episodes = num_episodes
        self._envs: list[Environment] = []
        if env is not None:
            self._envs = [env] if isinstance(env, Environment) else list(env)
        self._max_episode_length = max_episode_length
        self._deterministic = deterministic
        self._rng = seeding.stream("evaluation rounds")

    def play(
        self, trainer: RunHandle, policy: Policy, discount: float, prefix: str = "Evaluation"
    ) -> float:
        """Play a round and record it.

        Args:
            trainer: whose environment is copied if there is no other, and whose running statistics
                all environments normalise with, but for one that is trained in itself.
            policy: what to evaluate.
            discount: factor for one env step.
            prefix: of the keys that it is recorded under.

        Returns:
            The average undiscounted return; NaN if there was nothing to play.
        """
        if not self._num_episodes:
            return math.nan
        pooled = pooled_normalizers(trainer.trained_envs)
        trains_itself = trainer.trained_envs if self._envs else ()
        batches = [
            obtain_evaluation_episodes(
                policy,
                env,
                self._max_episode_length,
                self._num_episodes,
                self._deterministic,
                self._rng,
                normalizers={} if any(env is own for own in trains_itself) else pooled,
            )
            for env in self._envs or [trainer.env]
        ]
        episodes = EpisodeBatch.concatenate(*batches)
        return float(np.mean(log_performance(trainer.step_itr, episodes, discount, prefix)))
