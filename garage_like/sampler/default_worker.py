"""DefaultWorker: one environment, one episode after the other."""

from __future__ import annotations

from collections import defaultdict
from time import perf_counter
from typing import Any, Unpack

import numpy as np

from garage_like.configuration.extension_points import overrides
from garage_like.data.batches import EnvStep, EpisodeBatch, StepType
from garage_like.data.infos import stack_infos
from garage_like.interfaces import Actor
from garage_like.sampler.episode_builder import EpisodeBuilder
from garage_like.sampler.worker import Worker, WorkerOptions

_STEPS = ("rollout", "start_episode", "step_episode", "collect_episode")
_TERMINAL, _TIMEOUT = StepType.TERMINAL, StepType.TIMEOUT


class DefaultWorker(Worker):
    """Play whole episodes in a single environment.

    A subclass may override `start_episode`, `step_episode`, `collect_episode` or `rollout`, as in
    garage: then episodes are played by them, step by step.

    Nothing is left unfinished between calls: every episode that was begun is in the batch, so a
    batch holds as many short and long episodes as the policy plays.
    """

    def __init__(self, **options: Unpack[WorkerOptions]) -> None:
        self._actor: Actor | None = None
        self._prev_obs: Any = None
        self._forget_steps()
        super().__init__(n_envs=1, **options)

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        """Play episodes until they have at least `num_samples` env steps."""
        if overrides(self, DefaultWorker, *_STEPS):
            return super().obtain_samples(num_samples)
        actor, rng, builder = self._start()
        steps = 0
        while steps < num_samples:
            steps += self._play_episode(actor, rng, builder)
        return self._finish(builder)

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        if overrides(self, DefaultWorker, *_STEPS):
            return super().obtain_episodes(n_episodes)
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

    # ---- one step at a time, as subclasses may have it --------------------------------------

    def start_episode(self) -> None:
        self._forget_steps()
        self._actor = self._start()[0]
        self._prev_obs, episode_info = self._reset_env(0)
        for key, value in episode_info.items():
            self._episode_infos[key].append(value)

    def step_episode(self) -> bool:
        if self._actor is None:
            self._actor = self._start()[0]
        assert self._rng is not None
        started = perf_counter()
        actions, agent_infos = self._actor.act(self._prev_obs[None], self._rng)
        decided = perf_counter()
        step = self.env.step(actions[0])
        self._seconds["PolicyExecTime"] += decided - started
        self._seconds["EnvExecTime"] += perf_counter() - decided
        self._eps_length += 1
        if not step.last and self._eps_length >= self._limit:
            step = step._replace(step_type=_TIMEOUT)
        self._observations.append(self._prev_obs)
        self._env_steps.append(step)
        for key, value in agent_infos.items():
            self._agent_infos[key].append(value[0])
        self._prev_obs = step.observation
        if step.last:
            self._lengths.append(self._eps_length)
            self._last_observations.append(self._prev_obs)
        return bool(step.last)

    def collect_episode(self) -> EpisodeBatch:
        steps = self._env_steps
        begun = [
            {key: values[number] for key, values in self._episode_infos.items()}
            for number in range(len(self._lengths))
        ]
        batch = EpisodeBatch(
            env_spec=self.env.spec,
            episode_infos_by_episode=stack_infos(begun, "episode_infos", self._dropped_infos),
            observations=np.asarray(self._observations),
            last_observations=np.asarray(self._last_observations),
            actions=np.asarray([step.action for step in steps]),
            rewards=np.asarray([step.reward for step in steps], np.float64),
            env_infos=stack_infos([s.env_info for s in steps], "env_infos", self._dropped_infos),
            agent_infos={key: np.asarray(value) for key, value in self._agent_infos.items()},
            step_types=np.asarray([step.step_type for step in steps], np.uint8),
            lengths=np.asarray(self._lengths),
        )
        self._forget_steps()
        return batch

    def _forget_steps(self) -> None:
        # By the names that they have in garage, for subclasses that fill them themselves.
        self._actor = self._prev_obs = None
        self._eps_length = 0
        self._observations: list[Any] = []
        self._last_observations: list[Any] = []
        self._env_steps: list[EnvStep] = []
        self._agent_infos: defaultdict[str, list[Any]] = defaultdict(list)
        self._episode_infos: defaultdict[str, list[Any]] = defaultdict(list)
        self._lengths: list[int] = []
