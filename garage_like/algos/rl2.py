"""The half of RL2 that needs no framework: tasks, trials, and how far they adapt.

Duan et al. 2016, "RL2: Fast Reinforcement Learning via Slow Reinforcement Learning",
arXiv:1611.02779. A trial is several episodes of one task. A recurrent policy that keeps its memory
over a trial, and sees rewards and ends of episodes, can learn within it; what trains it is any
on-policy algorithm to which a trial is one episode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from garage_like.algos.on_policy import METRICS, OnPolicyAlgorithm
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.infos import slice_infos
from garage_like.logging import tabular

if TYPE_CHECKING:
    from garage_like.interfaces import RunHandle


class Tasks(Protocol):
    """Draw tasks, as `garage_like.experiment.task_sampler` does."""

    def sample(self, n_tasks: int) -> list[Callable[[Any], Any]]:
        """Return what turns a worker's environment to its task, one for each of `n_tasks`."""


class TrialLearner(OnPolicyAlgorithm):
    """Learn from trials, of one task for each of the sampler's workers.

    Goes before an on-policy algorithm among a class's bases; `learn_trials` completes it.

    Args:
        task_sampler: draws the tasks of each batch, as `SetTaskSampler(PointEnv)` does.
        meta_batch_size: tasks of one batch; the sampler has as many workers.
        episodes_per_trial: what the workers are expected to play; None takes it as it comes.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if an argument is of the wrong kind.
    """

    METRICS = {
        **METRICS,
        "Adaptation/AverageReturnOfEpisode<k>": "Mean return of the k-th episodes of trials.",
    }

    _task_sampler: Tasks
    _meta_batch_size: int
    _episodes_per_trial: int | None

    def learn_trials(
        self, task_sampler: Tasks, meta_batch_size: int, episodes_per_trial: int | None = None
    ) -> None:
        """Say where tasks come from; to be called by constructors.

        Args:
            task_sampler: draws tasks.
            meta_batch_size: tasks of one batch; the sampler has as many workers.
            episodes_per_trial: what the workers are expected to play; None takes it as it comes.

        Raises:
            TypeError: if task_sampler has no method `sample`.
            ValueError: if a number is not positive.
        """
        owner = type(self).__name__
        if not callable(getattr(task_sampler, "sample", None)):
            raise TypeError(
                f"{owner}: task_sampler must have a method sample(n_tasks), such as "
                f"SetTaskSampler(PointEnv), got {task_sampler!r}"
            )
        if meta_batch_size < 1:
            raise ValueError(
                f"{owner}: meta_batch_size must be at least 1, got {meta_batch_size!r}"
            )
        if episodes_per_trial is not None and episodes_per_trial < 1:
            raise ValueError(
                f"{owner}: episodes_per_trial must be at least 1, got {episodes_per_trial!r}"
            )
        self._task_sampler = task_sampler
        self._meta_batch_size = meta_batch_size
        self._episodes_per_trial = episodes_per_trial

    def train_epoch(self, trainer: RunHandle) -> float:
        """Draw tasks, collect trials and learn from them, `num_train_per_epoch` times.

        Returns:
            The average undiscounted return of a trial of the last batch.
        """
        average_return = float("nan")
        for _ in range(self._num_train_per_epoch):
            tasks = self._task_sampler.sample(self._meta_batch_size)
            episodes = trainer.obtain_episodes(trainer.step_itr, env_update=tasks)
            returns = returns_within_trials(episodes)
            if self._episodes_per_trial not in (None, len(returns)):
                raise ValueError(
                    f"{type(self).__name__}: expected trials of {self._episodes_per_trial} "
                    f"episodes, got {len(returns)}; give the sampler "
                    f"worker_args={{'n_episodes_per_trial': {self._episodes_per_trial}}}"
                )
            average_return = self._train_once(trainer.step_itr, join_trials(episodes))
            for k, mean_return in enumerate(returns, 1):
                tabular.record(f"Adaptation/AverageReturnOfEpisode{k}", mean_return)
            trainer.step_itr += 1
        return average_return


def join_trials(episodes: EpisodeBatch) -> EpisodeBatch:
    """Turn the episodes of each trial into one, which goes on where they end.

    Raises:
        ValueError: if the episodes are not those of trials.
    """
    first = np.flatnonzero(_episode_of_trial(episodes) == 0)
    last = np.append(first[1:], len(episodes)) - 1
    step_types = episodes.step_types.copy()
    within = np.delete(episodes.ends - 1, last)
    step_types[within] = StepType.MID
    return EpisodeBatch(
        env_spec=episodes.env_spec,
        episode_infos_by_episode=slice_infos(episodes.episode_infos_by_episode, first),
        observations=episodes.observations,
        last_observations=episodes.last_observations[last],
        actions=episodes.actions,
        rewards=episodes.rewards,
        env_infos=episodes.env_infos,
        agent_infos=episodes.agent_infos,
        step_types=step_types,
        lengths=np.add.reduceat(episodes.lengths, first),
    )


def returns_within_trials(episodes: EpisodeBatch) -> list[float]:
    """Return the mean undiscounted return of first episodes, of second ones, and so on."""
    numbers = _episode_of_trial(episodes)
    returns = np.add.reduceat(episodes.rewards, episodes.ends - episodes.lengths)
    return [float(returns[numbers == k].mean()) for k in range(int(numbers.max()) + 1)]


def _episode_of_trial(episodes: EpisodeBatch) -> np.ndarray:
    numbers = episodes.episode_infos_by_episode.get("EpisodeOfTrial")
    if numbers is None or numbers[0] != 0:
        raise ValueError(
            "RL2: episodes must be those of whole trials; collect them by "
            "LocalSampler(policy, RL2Env(env), worker_class=RL2Worker, n_workers=meta_batch_size)"
        )
    return numbers
