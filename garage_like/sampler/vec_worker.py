"""VecWorker: several environments side by side, one decision for all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar, Unpack

import numpy as np

from garage_like.configuration.plain_numbers import as_plain
from garage_like.data.batches import EnvStep, EpisodeBatch, StepType
from garage_like.interfaces import Actor
from garage_like.sampler.episode_builder import EpisodeBuilder, OpenEpisode
from garage_like.sampler.step_threads import StepThreads
from garage_like.sampler.worker import Worker, WorkerOptions

_TERMINAL, _TIMEOUT = StepType.TERMINAL, StepType.TIMEOUT


class VecWorkerOptions(WorkerOptions, total=False):
    """The same, and those that all workers with several environments take; see VecWorker."""

    n_threads: int


class VecWorker(Worker):
    """Play whole episodes in several environments at once, in this process.

    Every episode that is begun is finished and handed out, and whether to begin another is decided
    before anything of it is known. So short episodes are no more frequent in a batch than the
    policy plays them; cutting off or throwing away what is unfinished would favour them. To come
    out near the number of env steps asked for, an episode is begun only while those that are being
    played are expected to fall short, by the mean length of episodes seen so far. Nothing is left
    unfinished between calls.

    Environments with running statistics (`normalize`) have each their own.

    Args:
        n_threads: threads that step and reset them, for environments that wait. The bits are those
            of one; environments must share nothing that changes.
    """

    _threads: StepThreads | None = None

    REPLACED: ClassVar[Mapping[str, str]] = {
        "start_episode": "_reset_env(column)",
        "step_episode": "_tick(actor, rng, builder, episodes), or derive from DefaultWorker",
        "collect_episode": "obtain_samples(num_samples), or derive from DefaultWorker",
        "rollout": "obtain_episodes(n_episodes)",
    }

    def __init__(
        self,
        *,
        n_envs: int = 8,
        n_threads: int = 1,
        **options: Unpack[WorkerOptions],
    ) -> None:
        super().__init__(n_envs=n_envs, **options)
        n_threads = as_plain(n_threads)
        if isinstance(n_threads, bool) or not isinstance(n_threads, int) or n_threads < 1:
            raise ValueError(
                f"{type(self).__name__}: n_threads must be an integer of at least 1, got "
                f"{n_threads!r}"
            )
        if min(n_threads, self._n_envs) > 1:
            self._threads = StepThreads(min(n_threads, self._n_envs))
        self._mean_length: float | None = None
        self._observations = np.empty(0)

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        """Play episodes until they have at least `num_samples` env steps."""
        batch = self._play(lambda builder, playing: self._affordable(builder, playing, num_samples))
        self._mean_length = float(np.mean(batch.lengths))
        return batch

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        return self._play(lambda builder, playing: n_episodes - len(builder.episodes))

    def rollout(self) -> EpisodeBatch:
        """Play one episode in each environment."""
        return self.obtain_episodes(self._n_envs)

    def _affordable(
        self, builder: EpisodeBuilder, playing: Collection[OpenEpisode], num_samples: int
    ) -> int:
        """Return how many more to begin, by how long those begun so far are expected to become."""
        # What earlier calls tell counts as much as one episode in each environment.
        if self._mean_length is not None:
            count, total = self._n_envs, self._mean_length * self._n_envs
        else:
            count, total = 1, min(self._limit, self._envs[0].spec.max_episode_length or 1)
        mean = (total + builder.ended_steps) / (count + builder.ended_episodes)
        expected = sum(max(mean, len(episode.steps)) for episode in playing)
        free = self._n_envs - len(playing)
        more = 0
        while more < free and builder.ended_steps + expected < num_samples:
            expected += mean
            more += 1
        return more

    def _play(
        self, how_many: Callable[[EpisodeBuilder, Collection[OpenEpisode]], int]
    ) -> EpisodeBatch:
        """Play whole episodes; `how_many` says how many more to begin now, if there is room."""
        actor, rng, builder = self._start()
        playing: dict[int, OpenEpisode] = {}
        while True:
            more = how_many(builder, playing.values())
            free = (column for column in range(self._n_envs) if column not in playing)
            begun = [*itertools.islice(free, more)]
            self._begin_ahead(begun)
            for column in begun:
                observation, episode_info = self._reset_env(column)
                self._show(column, observation)
                playing[column] = builder.begin(column, observation, episode_info, self._limit)
            if not playing:
                return self._finish(builder)
            ended: list[OpenEpisode] = []
            while not ended:
                ended = self._tick(actor, rng, builder, playing.values())
            for episode in ended:
                del playing[episode.column]

    def _begin_ahead(self, columns: Sequence[int]) -> None:
        """Begin episodes at the same time, for `_reset_env` to hand out one after the other."""
        if self._threads is not None:
            started = perf_counter()
            begun = self._threads.map(super()._begin_episode, columns)
            self._threads.begun.update(zip(columns, begun, strict=True))
            self._seconds["EnvExecTime"] += perf_counter() - started

    def _begin_episode(self, column: int) -> tuple[np.ndarray, dict[str, Any]]:
        begun = self._threads.begun.pop(column, None) if self._threads is not None else None
        return begun or super()._begin_episode(column)

    def _start(self) -> tuple[Actor, np.random.Generator, EpisodeBuilder]:
        if self._threads is not None:
            self._threads.begin()
        return super()._start()

    def _finish(self, builder: EpisodeBuilder) -> EpisodeBatch:
        if self._threads is not None:
            self._threads.end()
        return super()._finish(builder)

    def shutdown(self) -> None:
        """Close the worker's environments and end its threads; it must not be used any more."""
        if self._threads is not None:
            self._threads.shutdown()
        super().shutdown()

    def _show(self, column: int, observation: np.ndarray) -> None:
        """Put an episode's first observation before the actor."""
        if not len(self._observations):
            # Environments that are not in play are acted for all the same, and the action is not
            # used: a policy always sees N rows, which keeps its memory of each row aligned.
            self._observations = np.stack([observation] * self._n_envs)
        self._observations[column] = observation

    def _abandon_episodes(self) -> None:
        self._observations = np.empty(0)

    def _tick(
        self,
        actor: Actor,
        rng: np.random.Generator,
        builder: EpisodeBuilder,
        episodes: Collection[OpenEpisode],
    ) -> list[OpenEpisode]:
        """Step each episode's environment once; return the episodes that ended."""
        started = perf_counter()
        actions, agent_infos = actor.act(self._observations, rng)
        builder.actions.append(actions)
        builder.agent_infos.append(agent_infos)
        envs, observations = self._envs, self._observations
        decided = perf_counter()
        stepped: Iterable[EnvStep] = (envs[e.column].step(actions[e.column]) for e in episodes)
        if self._threads is not None:
            columns = [episode.column for episode in episodes]
            stepped = self._threads.map(lambda k: envs[k].step(actions[k]), columns)
        ended = []
        for episode, step in zip(episodes, stepped, strict=True):
            steps = episode.steps
            steps.append(step)
            observations[episode.column] = step.observation
            if step.step_type >= _TERMINAL:
                ended.append(episode)
            elif len(steps) >= episode.max_steps:
                steps[-1] = step._replace(step_type=_TIMEOUT)
                ended.append(episode)
        for episode in ended:
            builder.end(episode)
        self._seconds["PolicyExecTime"] += decided - started
        self._seconds["EnvExecTime"] += perf_counter() - decided
        return ended
