"""DefaultWorker: one environment, one episode after the other."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.interfaces import Actor
from garage_like.sampler.episode_builder import EpisodeBuilder
from garage_like.sampler.worker import Worker

_TERMINAL, _TIMEOUT = StepType.TERMINAL, StepType.TIMEOUT


class DefaultWorker(Worker):
    """Play whole episodes in a single environment.

    Nothing is left unfinished between calls: every episode that was begun is in the batch, so a
    batch holds as many short and long episodes as the policy plays.

    Args:
        seed: what the worker's random numbers derive from; None takes the run's seed.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT); None leaves that
            to the environment.
        worker_number: which of a sampler's workers this is.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        max_episode_length: int | None = None,
        worker_number: int = 0,
    ) -> None:
        super().__init__(
            seed=seed, max_episode_length=max_episode_length, worker_number=worker_number
        )

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        """Play episodes until they have at least `num_samples` env steps."""
        actor, rng, builder = self._start()
        steps = 0
        while steps < num_samples:
            steps += self._play_episode(actor, rng, builder)
        return self._finish(builder)

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        """Play exactly `n_episodes` episodes."""
        actor, rng, builder = self._start()
        for _ in range(n_episodes):
            self._play_episode(actor, rng, builder)
        return self._finish(builder)

    def _play_episode(self, actor: Actor, rng: np.random.Generator, builder: EpisodeBuilder) -> int:
        """Play one episode into the builder; return its length."""
        # The hot path of on-policy training: lookups are done once, outside the loop.
        observation, episode_info = self._reset_env(0)
        limit = self._limit
        env_step, act = self._envs[0].step, actor.act
        episode = builder.begin(0, observation, episode_info, limit)
        add_actions, add_infos = builder.actions.append, builder.agent_infos.append
        add_step, steps = episode.steps.append, episode.steps
        env_seconds = 0.0
        began = perf_counter()
        while True:
            actions, agent_infos = act(observation[None], rng)
            add_actions(actions)
            add_infos(agent_infos)
            started = perf_counter()
            step = env_step(actions[0])
            env_seconds += perf_counter() - started
            add_step(step)
            _, _, _, observation, _, step_type = step
            if step_type >= _TERMINAL:
                break
            if len(steps) >= limit:
                steps[-1] = step._replace(step_type=_TIMEOUT)
                break
        self._seconds["EnvExecTime"] += env_seconds
        self._seconds["PolicyExecTime"] += perf_counter() - began - env_seconds
        return len(steps)
