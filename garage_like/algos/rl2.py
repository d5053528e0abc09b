"""The half of RL2 that needs no framework: tasks, trials, and how far they adapt.

Duan et al. 2016, "RL2: Fast Reinforcement Learning via Slow Reinforcement Learning",
arXiv:1611.02779. A trial is several episodes of one task. A recurrent policy that keeps its memory
over a trial, and sees rewards and ends of episodes, can learn within it; what trains it is any
on-policy algorithm to which a trial is one episode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from garage_like import seeding
from garage_like.algos.meta_rl_algorithm import (
    META_METRICS,
    Evaluator,
    MetaRLAlgorithm,
    Tasks,
    check_tasks,
)
from garage_like.algos.on_policy import (
    METRICS,
    OPTIONAL_METRICS,
    OnPolicyAlgorithm,
    OnPolicyOptions,
)
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.infos import slice_infos
from garage_like.logging import tabular
from garage_like.sampler.framework_actor import actor_of, forget, give_memory

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Actor, Baseline, Policy, RunHandle, Sampler


class TrialOptions(OnPolicyOptions, total=False):
    """Arguments of the algorithm that trains on trials, as far as it takes them."""

    optimizer: Any  # and its arguments: what garage says instead of `policy_optimizer`
    optimizer_args: Any
    policy_optimizer: Any
    vf_optimizer: Any
    gae_lambda: float
    lr_clip_range: float
    max_kl_step: float | None


class TrialLearner(MetaRLAlgorithm, OnPolicyAlgorithm):
    """Learn from trials, of one task for each of the sampler's workers.

    Goes before an on-policy algorithm among a class's bases.

    Args:
        env_spec: of an RL2Env.
        policy: what is trained; a recurrent one.
        sampler: of RL2Workers, one for each task of a batch.
        task_sampler: draws the tasks of each batch, as `SetTaskSampler(PointEnv)` does.
        meta_batch_size: tasks of one batch; the sampler has as many workers.
        episodes_per_trial: what the workers are expected to play; None takes it as it comes.
        meta_evaluator: evaluates the policy on further tasks; None for no such evaluation.
        n_epochs_per_eval: epochs from one evaluation to the next.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if an argument is of the wrong kind.
    """

    METRICS = {
        **METRICS,
        "Adaptation/AverageReturnOfEpisode<k>": "Mean return of the k-th episodes of trials.",
    }

    OPTIONAL_METRICS = {**OPTIONAL_METRICS, **META_METRICS}

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        *,
        task_sampler: Tasks,
        meta_batch_size: int = 20,
        episodes_per_trial: int | None = None,
        meta_evaluator: Evaluator | None = None,
        n_epochs_per_eval: int = 10,
        **options: Unpack[TrialOptions],
    ) -> None:
        handed_up: Any = options  # to the algorithm that comes after this among the bases
        super().__init__(env_spec, policy, baseline, sampler, **handed_up)
        owner = type(self).__name__
        check_tasks(owner, task_sampler, meta_batch_size)
        if episodes_per_trial is not None and episodes_per_trial < 1:
            raise ValueError(
                f"{owner}: episodes_per_trial must be at least 1, got {episodes_per_trial!r}"
            )
        self._task_sampler = task_sampler
        self._meta_batch_size = meta_batch_size
        self._episodes_per_trial = episodes_per_trial
        self.evaluate_with(meta_evaluator, n_epochs_per_eval)

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
        self.finish_meta_epoch()
        return average_return

    def get_exploration_policy(self) -> Policy:
        """Return the policy: at the first episode of a trial it knows nothing of a task."""
        return self.policy

    def adapt_policy(
        self, exploration_policy: Policy, exploration_episodes: EpisodeBatch
    ) -> RL2AdaptedPolicy:
        """Return a policy that remembers the last trial of some episodes."""
        numbers = exploration_episodes.episode_infos_by_episode.get("EpisodeOfTrial")
        episodes = exploration_episodes.split()
        first = 0 if numbers is None else int(np.flatnonzero(np.asarray(numbers) == 0)[-1])
        actor: Any = actor_of(exploration_policy)
        memory = give_memory(actor, 1)
        if memory is None:
            raise TypeError(
                f"{type(self).__name__}: the policy must be recurrent to adapt within a trial, got "
                f"{exploration_policy!r}"
            )
        rng = np.random.default_rng(0)  # what is drawn is of no account: other actions were taken
        for episode in episodes[first:]:
            for observation, action in zip(episode.observations, episode.actions, strict=True):
                actor.act(observation[None], rng)
                actor.note(action[None])
        return RL2AdaptedPolicy(exploration_policy, memory[0])


class RL2AdaptedPolicy:
    """A recurrent policy whose episodes go on in a trial: each begins with the memory of it.

    Args:
        policy: the recurrent policy.
        memory: shape (memory_dim,), what it remembers of the trial.
    """

    goes_on_in_trial = True

    def __init__(self, policy: Policy, memory: np.ndarray) -> None:
        self._policy = policy
        self._start = memory
        self._own: np.ndarray | None = None
        self._rng = seeding.stream("policy")

    @property
    def env_spec(self) -> EnvSpec:
        """The environment that the policy was made for."""
        return self._policy.env_spec

    def actor(self) -> Actor:
        """Return an actor on the policy's current weights."""
        return _ActorWithStart(actor_of(self._policy), self._start)

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (O*,)."""
        actions, infos = self.get_actions(np.asarray(observation)[None])
        return actions[0], {key: value[0] for key, value in infos.items()}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, on a memory of its own of N episodes."""
        actor = self.actor()
        self._own = give_memory(actor, len(observations), self._own)
        return actor.act(np.asarray(observations), self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Forget what `get_actions` remembers beside the trial."""
        self._own = forget(self._own, do_resets)

    def get_param_values(self) -> Any:
        """Return a copy of the policy's weights."""
        return self._policy.get_param_values()

    def set_param_values(self, params: Any) -> None:
        """Replace the policy's weights."""
        self._policy.set_param_values(params)


class _ActorWithStart:
    """Act as a recurrent actor does whose episodes begin with a memory.

    A row of its memory holds whether the episode has begun, and the other's memory.
    """

    def __init__(self, actor: Any, start: np.ndarray) -> None:
        self._actor = actor
        self._start = start
        self.memory_dim = 1 + len(start)

    def remember(self, memory: np.ndarray) -> None:
        """Act on `memory`, shape (N, memory_dim), from now on, and rewrite it in place."""
        self._memory = memory
        self._actor.remember(memory[:, 1:])

    def note(self, actions: np.ndarray) -> None:
        """Remember that these were taken."""
        self._actor.note(actions)

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions; where an episode begins, remember the trial first."""
        memory = self._memory
        memory[memory[:, 0] == 0.0, 1:] = self._start
        memory[:, 0] = 1.0
        chosen: tuple[np.ndarray, dict[str, np.ndarray]] = self._actor.act(observations, rng)
        return chosen


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
