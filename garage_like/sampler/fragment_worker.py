"""FragmentWorker: a fixed number of env steps, episodes going on from call to call."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Unpack

from garage_like.data.batches import EpisodeBatch
from garage_like.sampler.episode_builder import EpisodeBuilder, OpenEpisode
from garage_like.sampler.vec_worker import VecWorker, VecWorkerOptions


@dataclass
class EpisodeSoFar:
    """What a worker remembers of an episode that goes on in its next call.

    Attributes:
        episode_info: from `Environment.reset`.
        length: env steps so far.
        total_reward: undiscounted return so far.
    """

    episode_info: dict[str, Any] = field(default_factory=dict)
    length: int = 0
    total_reward: float = 0.0


class FragmentWorker(VecWorker):
    """Collect fragments of episodes, as many env steps from each environment in each call.

    An episode that has not ended when a call does goes on in the next call, by the policy of then.
    Its fragment ends with step type FIRST or MID, so return follows it and a value is bootstrapped;
    the first step of its next fragment is MID. Episode infos have `EpisodeReturn` and
    `EpisodeLength`, up to the fragment's end, so that whole episodes can be reported, and of a
    recurrent policy `Memory`, with which it began the fragment.

    `obtain_episodes` gives up the episodes that go on, and plays whole ones.

    Args:
        timesteps_per_call: each environment is stepped a multiple of this in each call.
    """

    def __init__(
        self,
        *,
        n_envs: int = 8,
        timesteps_per_call: int = 1,
        **options: Unpack[VecWorkerOptions],
    ) -> None:
        super().__init__(n_envs=n_envs, **options)
        if timesteps_per_call < 1:
            raise ValueError(
                f"FragmentWorker: timesteps_per_call must be at least 1, got {timesteps_per_call!r}"
            )
        self._timesteps_per_call = timesteps_per_call
        self._going_on: dict[int, EpisodeSoFar] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: episodes that go on by columns, which are quick to pickle."""
        so_far = self._going_on.values()
        going_on = (
            [*self._going_on],
            [one.episode_info for one in so_far],
            [one.length for one in so_far],
            [one.total_reward for one in so_far],
        )
        return {**self.__dict__, "_going_on": going_on}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up what was saved."""
        self.__dict__.update(state)
        saved = state["_going_on"]
        if isinstance(saved, dict):  # of older snapshots: each by itself
            pairs = [
                (column, so_far if isinstance(so_far, tuple) else tuple(vars(so_far).values()))
                for column, so_far in saved.items()
            ]
        else:
            columns, *parts = saved
            pairs = [*zip(columns, zip(*parts, strict=True), strict=True)]
        self._going_on = {column: EpisodeSoFar(*so_far) for column, so_far in pairs}

    def obtain_samples(self, num_samples: int) -> EpisodeBatch:
        """Collect at least `num_samples` env steps, as many from each environment."""
        actor, rng, builder = self._start()
        steps_per_call = self._n_envs * self._timesteps_per_call
        ticks = math.ceil(num_samples / steps_per_call) * self._timesteps_per_call
        playing: dict[int, OpenEpisode] = {}
        for _ in range(ticks):
            free = [column for column in range(self._n_envs) if column not in playing]
            self._begin_ahead([column for column in free if self._is_over(column)])
            for column in free:
                playing[column] = self._begin_fragment(column, builder)
            for episode in self._tick(actor, rng, builder, playing.values()):
                self._end_fragment(playing.pop(episode.column))
        for episode in playing.values():
            self._end_fragment(episode)
        return self._finish(builder)

    def obtain_episodes(self, n_episodes: int) -> EpisodeBatch:
        """Give up the episodes that go on, and play exactly `n_episodes` whole ones."""
        self._abandon_episodes()
        return super().obtain_episodes(n_episodes)

    def rollout(self) -> EpisodeBatch:
        """Step each environment `timesteps_per_call` times."""
        return self.obtain_samples(self._n_envs * self._timesteps_per_call)

    def _begin_fragment(self, column: int, builder: EpisodeBuilder) -> OpenEpisode:
        so_far = self._going_on.get(column)
        if so_far is None or self._is_over(column):
            observation, episode_info = self._reset_env(column)
            so_far = self._going_on[column] = EpisodeSoFar(episode_info)
            self._show(column, observation)
        episode_info = so_far.episode_info
        if self._memory is not None:
            episode_info = {**episode_info, "Memory": self._memory[column].copy()}
        return builder.begin(
            column,
            self._observations[column].copy(),
            episode_info,
            self._limit - so_far.length,
        )

    def _is_over(self, column: int) -> bool:
        return column not in self._going_on or self._envs[column].needs_reset

    def _end_fragment(self, fragment: OpenEpisode) -> None:
        """Report the episode up to here, and remember it if it goes on."""
        so_far = self._going_on[fragment.column]
        so_far.length += len(fragment.steps)
        so_far.total_reward += sum(step.reward for step in fragment.steps)
        fragment.episode_info = {
            **fragment.episode_info,
            "EpisodeReturn": so_far.total_reward,
            "EpisodeLength": so_far.length,
        }
        if fragment.ended:
            del self._going_on[fragment.column]

    def _abandon_episodes(self) -> None:
        super()._abandon_episodes()
        self._going_on = {}
