"""MetaEvaluator: how well an algorithm adapts to tasks that it has not seen."""

from __future__ import annotations

from typing import Any

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch
from garage_like.evaluation import log_multitask_performance
from garage_like.sampler.default_worker import DefaultWorker
from garage_like.sampler.local_sampler import LocalSampler
from garage_like.sampler.worker import Worker
from garage_like.sampler.worker_factory import WorkerFactory


class MetaEvaluator:
    """Let a meta-learning algorithm explore test tasks, adapt to them, and play on.

    What is played is drawn from streams of its own, not from those of training. The return of
    exploration is recorded beside that after adaptation, which is what was gained by it.

    Args:
        test_task_sampler: draws tasks.
        n_exploration_eps: episodes of each task from which to adapt.
        n_test_tasks: tasks of one evaluation; None takes all that the sampler has.
        n_test_episodes: episodes of each task after adaptation.
        prefix: of what is recorded.
        test_task_names: names of tasks by their `task_id`; each has columns of its own.
        worker_class: plays; an RL2Worker for RL2.
        worker_args: further arguments of the class.

    Raises:
        ValueError: if a number is not positive, or the tasks are without number.
        TypeError: if tasks cannot be drawn.
    """

    def __init__(
        self,
        *,
        test_task_sampler: Any,
        n_exploration_eps: int = 10,
        n_test_tasks: int | None = None,
        n_test_episodes: int = 1,
        prefix: str = "MetaTest",
        test_task_names: list[str] | None = None,
        worker_class: type[Worker] = DefaultWorker,
        worker_args: dict[str, Any] | None = None,
    ) -> None:
        if not callable(getattr(test_task_sampler, "sample", None)):
            raise TypeError(
                "MetaEvaluator: test_task_sampler must have a method sample(n_tasks), got "
                f"{test_task_sampler!r}"
            )
        if n_test_tasks is None:
            n_test_tasks = test_task_sampler.n_tasks
        if n_test_tasks is None:
            raise ValueError(
                "MetaEvaluator: the sampler does not know how many tasks there are; give "
                "n_test_tasks"
            )
        for name, number in (
            ("n_exploration_eps", n_exploration_eps),
            ("n_test_tasks", n_test_tasks),
            ("n_test_episodes", n_test_episodes),
        ):
            if number < 1:
                raise ValueError(f"MetaEvaluator: {name} must be at least 1, got {number!r}")
        self._test_task_sampler = test_task_sampler
        self._n_exploration_eps = n_exploration_eps
        self._n_test_tasks: int = n_test_tasks
        self._n_test_episodes = n_test_episodes
        self._prefix = prefix
        self._names = dict(enumerate(test_task_names or ()))
        self._factory = WorkerFactory(
            seed=seeding.integer_seed("MetaEvaluator"),
            worker_class=worker_class,
            worker_args=worker_args,
        )
        self._sampler: LocalSampler | None = None
        self._evaluations = 0

    def evaluate(self, algo: Any, test_episodes_per_task: int | None = None) -> None:
        """Adapt to test tasks, and record how it went.

        Args:
            algo: has `get_exploration_policy()` and `adapt_policy(policy, episodes)`.
            test_episodes_per_task: episodes after adaptation; None takes n_test_episodes.
        """
        from garage_like.logging import tabular

        given = test_episodes_per_task
        n_episodes = self._n_test_episodes if given is None else given
        if n_episodes < 1:
            raise ValueError(f"evaluate: test_episodes_per_task must be at least 1, got {given!r}")
        explored, tested = [], []
        for update in self._test_task_sampler.sample(self._n_test_tasks):
            policy = algo.get_exploration_policy()
            if self._sampler is None:
                self._sampler = LocalSampler(policy, update(), worker_factory=self._factory)
            play = self._sampler.obtain_exact_episodes
            explored.append(play(self._n_exploration_eps, policy, update))
            tested.append(play(n_episodes, algo.adapt_policy(policy, explored[-1])))
        before = EpisodeBatch.concatenate(*explored)
        with tabular.prefix(f"{self._prefix}/" if self._prefix else ""):
            log_multitask_performance(
                self._evaluations,
                EpisodeBatch.concatenate(*tested),
                getattr(algo, "discount", 1.0),
                self._names,
            )
            tabular.record("Exploration/AverageReturn", before.rewards.sum() / len(before))
        self._evaluations += 1
