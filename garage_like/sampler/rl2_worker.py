"""RL2Worker: whole trials, over whose episodes a recurrent policy keeps its memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import numpy as np

from garage_like.data.batches import EpisodeBatch
from garage_like.interfaces import Actor
from garage_like.sampler.default_worker import DefaultWorker
from garage_like.sampler.episode_builder import EpisodeBuilder
from garage_like.sampler.worker import WorkerOptions


class RL2Worker(DefaultWorker):
    """Play trials: several episodes of one task, of which the policy remembers all at once.

    A policy that remembers a trial already (`RL2AdaptedPolicy`) goes on in it, episode by episode.

    Duan et al. 2016, arXiv:1611.02779. Episode infos have `EpisodeOfTrial`, counted from 0.

    Args:
        n_episodes_per_trial: episodes of one trial.

    Raises:
        ValueError: if n_episodes_per_trial is not positive.
    """

    REPLACED: ClassVar[Mapping[str, str]] = {
        "start_episode": "_reset_env(column)",
        "step_episode": "_play_episode(actor, rng, builder)",
        "collect_episode": "obtain_samples(num_samples)",
        "rollout": "obtain_episodes(n_episodes)",
    }

    def __init__(
        self,
        *,
        n_episodes_per_trial: int = 2,
        **options: Unpack[WorkerOptions],
    ) -> None:
        super().__init__(**options)
        if n_episodes_per_trial < 1:
            raise ValueError(
                f"RL2Worker: n_episodes_per_trial must be at least 1, got {n_episodes_per_trial!r}"
            )
        self._n_episodes_per_trial = n_episodes_per_trial
        self._episode_of_trial = 0

    def update_env(self, env_update: Any) -> None:
        """Change the environment, or its task.

        Raises:
            TypeError: if it is no environment whose observations tell of the trial.
        """
        super().update_env(env_update)
        for env in self._envs:
            if not callable(getattr(env, "begin_trial", None)):
                raise TypeError(
                    f"RL2Worker: the environment must be an RL2Env, got {env!r}; wrap it: "
                    "RL2Env(env)"
                )

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        actor, rng, builder = self._start()
        steps = 0
        while steps < num_samples:
            steps += self._play_trial(actor, rng, builder)
        return self._finish(builder)

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        """Play exactly `n_episodes` episodes, in whole trials.

        Raises:
            ValueError: if they are not whole trials.
        """
        if getattr(self._agent, "goes_on_in_trial", False):
            self._episode_of_trial = 0
            return super().obtain_episodes(n_episodes)
        trials, rest = divmod(n_episodes, self._n_episodes_per_trial)
        if rest:
            raise ValueError(
                f"RL2Worker.obtain_episodes: expected whole trials of {self._n_episodes_per_trial} "
                f"episodes, got n_episodes={n_episodes!r}"
            )
        actor, rng, builder = self._start()
        for _ in range(trials):
            self._play_trial(actor, rng, builder)
        return self._finish(builder)

    def _play_trial(self, actor: Actor, rng: np.random.Generator, builder: EpisodeBuilder) -> int:
        """Play one trial into the builder; return its env steps."""
        self._envs[0].begin_trial()  # type: ignore[attr-defined]
        steps = 0
        for number in range(self._n_episodes_per_trial):
            self._episode_of_trial = number
            steps += self._play_episode(actor, rng, builder)
        return steps

    def _reset_env(self, column: int) -> tuple[np.ndarray, dict[str, Any]]:
        observation, episode_info = super()._reset_env(column)
        return observation, {**episode_info, "EpisodeOfTrial": self._episode_of_trial}

    def _forget_episode(self, column: int) -> None:
        if self._episode_of_trial == 0:
            super()._forget_episode(column)
