"""The half of PEARL that needs no framework: tasks, their memories, what is played, and cadence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from garage_like import seeding
from garage_like.algos.epoch_averages import EpochAverages
from garage_like.algos.finite import check_finite, check_rewards
from garage_like.algos.meta_rl_algorithm import META_METRICS, MetaRLAlgorithm
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.evaluation import log_performance
from garage_like.interfaces import Sampler
from garage_like.logging import tabular
from garage_like.logging.steps import log_step
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler.meta_evaluator import MetaEvaluator
from garage_like.sampler.pearl_worker import PEARLWorker

if TYPE_CHECKING:
    from garage_like.interfaces import RunHandle

UPDATE_METRICS = {
    "Loss/Policy": "Loss of the policy.",
    "Loss/Critic": "Loss of the Q-functions.",
    "Loss/Value": "Loss of the value function.",
    "Belief/KL": "Mean KL divergence of beliefs about tasks from the prior, in nats.",
    "policy/Entropy": "Mean entropy of the policy, estimated from its samples, in nats.",
    "Q-network/Q1": "Mean value that the first Q-function gives to transitions drawn.",
    "Target/Mean": "Mean of what it is moved towards.",
}


class TaskMemory(PathBuffer):
    """Keep transitions of one task, and draw from them by a stream of its own.

    Args:
        env_spec: whose spaces say what a row looks like.
        kind: what the memory is for.
        task: number of the task.
    """

    def __init__(
        self, capacity_in_transitions: int, env_spec: EnvSpec, kind: str, task: int
    ) -> None:
        super().__init__(capacity_in_transitions, env_spec)
        self._rng = seeding.stream(f"PEARL's {kind}", task)


class BeliefOptions(TypedDict, total=False):
    """Arguments that say how much is played and learned; see BeliefLearner."""

    meta_batch_size: int
    num_steps_per_epoch: int
    num_initial_steps: int
    num_tasks_sample: int
    num_steps_prior: int
    num_steps_posterior: int
    num_extra_rl_steps_posterior: int
    batch_size: int
    embedding_batch_size: int
    embedding_mini_batch_size: int
    discount: float
    replay_buffer_size: int
    reward_scale: float
    update_post_train: int


class BeliefLearner(MetaRLAlgorithm):
    """Play training tasks on what is believed of them, and keep what was seen of each.

    A backend's algorithm has the networks, and takes a gradient step: `_update`. Its `policy` can
    believe: `reset_belief`, `infer_posterior`, `context_of`.

    Args:
        env: what turns an environment to each training task, as
            `SetTaskSampler(PointEnv).sample(num_train_tasks)` returns them.
        sampler: plays whole episodes, with one worker.
        num_train_tasks: how many of `env` are used.
        num_test_tasks: tasks of an evaluation.
        test_env_sampler: draws tasks for evaluation; None evaluates nothing.
        meta_batch_size: tasks of one gradient step.
        num_steps_per_epoch: gradient steps of one epoch.
        num_initial_steps: env steps in each training task of which no transitions are stored, as
            before the first epoch.
        num_tasks_sample: tasks that are played in one epoch.
        num_steps_prior: env steps in each of them on latents of the prior; they are the context.
        num_steps_posterior: env steps on latents of what is believed, which join the context.
        num_extra_rl_steps_posterior: further ones, which do not.
        batch_size: transitions of each task in one gradient step.
        embedding_batch_size: transitions of a context that the policy acts on.
        embedding_mini_batch_size: transitions of a context in one gradient step.
        discount: factor for one env step.
        replay_buffer_size: transitions that are kept of each task.
        reward_scale: factor for the rewards that are learned from: how many units of return a nat
            of entropy is worth.
        update_post_train: episodes on what is believed, after which it is inferred again.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if `env` holds something else.
    """

    METRICS = {
        **UPDATE_METRICS,
        "ReplayBuffer/Size": "Transitions stored, of all tasks.",
        "Learning/GradientSteps": "Gradient steps of the run so far.",
    }
    OPTIONAL_METRICS = META_METRICS

    policy: Any

    def __init__(
        self,
        env: Sequence[Any],
        sampler: Sampler,
        *,
        num_train_tasks: int,
        num_test_tasks: int,
        test_env_sampler: Any,
        meta_batch_size: int = 64,
        num_steps_per_epoch: int = 1000,
        num_initial_steps: int = 100,
        num_tasks_sample: int = 100,
        num_steps_prior: int = 100,
        num_steps_posterior: int = 0,
        num_extra_rl_steps_posterior: int = 100,
        batch_size: int = 1024,
        embedding_batch_size: int = 1024,
        embedding_mini_batch_size: int = 1024,
        discount: float = 0.99,
        replay_buffer_size: int = 1_000_000,
        reward_scale: float = 1.0,
        update_post_train: int = 1,
    ) -> None:
        counts = {
            "num_train_tasks": num_train_tasks,
            "meta_batch_size": meta_batch_size,
            "num_initial_steps": num_initial_steps,
            "num_steps_prior": num_steps_prior,
            "batch_size": batch_size,
            "embedding_batch_size": embedding_batch_size,
            "embedding_mini_batch_size": embedding_mini_batch_size,
            "update_post_train": update_post_train,
        }
        _check(type(self).__name__, env, counts, discount)
        self._updates = list(env)[:num_train_tasks]
        self._env_spec: EnvSpec = self._updates[0]().spec
        self._sampler = sampler
        self._meta_batch_size = meta_batch_size
        self._num_steps_per_epoch = num_steps_per_epoch
        self._num_initial_steps = num_initial_steps
        self._num_tasks_sample = num_tasks_sample
        self._num_steps_prior = num_steps_prior
        self._num_steps_posterior = num_steps_posterior
        self._num_extra_rl_steps_posterior = num_extra_rl_steps_posterior
        self._batch_size = batch_size
        self._embedding_batch_size = embedding_batch_size
        self._embedding_mini_batch_size = embedding_mini_batch_size
        self._discount = discount
        self._reward_scale = reward_scale
        self._update_post_train = update_post_train
        self._memories = self._make_memories("replay buffer", replay_buffer_size)
        self._contexts = self._make_memories("context", replay_buffer_size)
        self._rng = seeding.stream("PEARL")
        self._averages = EpochAverages(UPDATE_METRICS)
        self._gradient_steps = 0
        if test_env_sampler is not None:
            evaluator = MetaEvaluator(
                test_task_sampler=test_env_sampler,
                n_test_tasks=num_test_tasks,
                worker_class=PEARLWorker,
                worker_args={"deterministic": True},
            )
            self.evaluate_with(evaluator, 1)

    def _make_memories(self, kind: str, size: int) -> list[TaskMemory]:
        tasks = range(len(self._updates))
        return [TaskMemory(size, self._env_spec, kind, task) for task in tasks]

    @property
    def discount(self) -> float:
        """Discount factor for one env step."""
        return self._discount

    def train_epoch(self, trainer: RunHandle) -> float:
        """Play some training tasks, learn from all, and evaluate.

        Returns:
            The average undiscounted return of the training tasks that were played.
        """
        log_step(f"Obtaining samples for iteration {trainer.step_itr}...")
        for task, parts in enumerate(zip(self._memories, self._contexts, strict=True)):
            # Empty in the first epoch, and after a restore without transitions.
            if not all(part.n_transitions_stored for part in parts):
                self._play(trainer, task, self._num_initial_steps, believes=False)
        played = []
        for task in self._rng.integers(len(self._updates), size=self._num_tasks_sample).tolist():
            self._contexts[task].clear()
            for steps, believes, tells in (
                (self._num_steps_prior, False, True),
                (self._num_steps_posterior, True, True),
                (self._num_extra_rl_steps_posterior, True, False),
            ):
                played += self._play(trainer, task, steps, believes=believes, tells=tells)
        log_step("Optimizing policy...")
        for _ in range(self._num_steps_per_epoch):
            metrics = self._update()
            check_finite(type(self).__name__, metrics)
            self._averages.add(metrics)
            self._gradient_steps += 1
        self._finish_steps()
        self.policy.reset_belief()
        average_return = self._record(trainer.step_itr, EpisodeBatch.concatenate(*played))
        trainer.step_itr += 1
        self.finish_meta_epoch()
        return average_return

    def _play(
        self,
        trainer: RunHandle,
        task: int,
        num_steps: int,
        *,
        believes: bool,
        tells: bool = True,
    ) -> list[EpisodeBatch]:
        """Play whole episodes of a task.

        Args:
            trainer: collects.
            task: number of the task.
            num_steps: env steps, at least.
            believes: act on what the context tells; else on the prior.
            tells: add what was played to the context.
        """
        played: list[EpisodeBatch] = []
        update = self._updates[task]
        self.policy.reset_belief()
        while num_steps > 0:
            if believes:
                rows = self._contexts[task].sample_transitions(self._embedding_batch_size)
                self.policy.infer_posterior(self.policy.context_of(rows))
            # One env step asked for is one whole episode.
            for wanted in [1] * self._update_post_train if believes else [num_steps]:
                episodes = trainer.obtain_episodes(trainer.step_itr, wanted, env_update=update)
                update = None
                check_rewards(type(self).__name__, episodes.rewards)
                self._memories[task].add_episode_batch(episodes)
                if tells:
                    self._contexts[task].add_episode_batch(episodes)
                played.append(episodes)
                num_steps -= episodes.num_steps
        return played

    def _update(self) -> dict[str, float]:
        """Take one gradient step of everything, on a batch of tasks; return UPDATE_METRICS."""
        raise NotImplementedError(f"{type(self).__name__} must implement _update")

    def _finish_steps(self) -> None:
        """Do what is due after the last gradient step of an epoch."""

    def _record(self, itr: int, episodes: EpisodeBatch) -> float:
        metrics = {
            **self._averages.take(),
            "ReplayBuffer/Size": sum(memory.n_transitions_stored for memory in self._memories),
            "Learning/GradientSteps": self._gradient_steps,
        }
        for key, value in metrics.items():
            tabular.record(key, value)
        return float(np.mean(log_performance(itr, episodes, self._discount)))


def _check(owner: str, env: Any, counts: Mapping[str, int], discount: float) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{owner}: {name} must be at least 1, got {count!r}")
    if not 0.0 <= discount <= 1.0:
        raise ValueError(f"{owner}: discount must be in [0, 1], got {discount!r}")
    updates = list(env) if isinstance(env, Sequence) else []
    if not updates or not all(callable(update) for update in updates):
        raise TypeError(
            f"{owner}: env must be a list of what turns an environment to each training task, such "
            f"as SetTaskSampler(PointEnv).sample(num_train_tasks), got {env!r}"
        )
    if len(updates) < counts["num_train_tasks"]:
        raise ValueError(
            f"{owner}: expected num_train_tasks={counts['num_train_tasks']} tasks in env, got "
            f"{len(updates)}"
        )
