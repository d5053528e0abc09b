"""MetaRLAlgorithm: learn to learn; what MAML, PEARL and RL2 have in common."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Protocol

from garage_like.interfaces import RLAlgorithm
from garage_like.logging.steps import log_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garage_like.data.batches import EpisodeBatch
    from garage_like.interfaces import Policy

_RETURNS = "returns of episodes of test tasks, after adaptation."
META_METRICS: dict[str, str] = {
    "MetaTest/Average/Iteration": "How many evaluations there were before.",
    "MetaTest/Average/NumEpisodes": "Episodes of test tasks after adaptation.",
    "MetaTest/Average/AverageDiscountedReturn": f"Mean of discounted {_RETURNS}",
    "MetaTest/Average/AverageReturn": f"Mean of {_RETURNS}",
    "MetaTest/Average/StdReturn": f"Standard deviation of {_RETURNS}",
    "MetaTest/Average/MaxReturn": f"Largest of {_RETURNS}",
    "MetaTest/Average/MinReturn": f"Least of {_RETURNS}",
    "MetaTest/Average/TerminationRate": "Share of them that terminated.",
    "MetaTest/Average/SuccessRate": "Share of them that succeeded, where the environment says so.",
    "MetaTest/Exploration/AverageReturn": "Mean return of episodes before adaptation.",
}


class Tasks(Protocol):
    """Draw tasks, as `garage_like.experiment.task_sampler` does."""

    def sample(self, n_tasks: int) -> Sequence[Any]:
        """Return what turns a worker's environment to its task, one for each of `n_tasks`."""


class Evaluator(Protocol):
    """Tell how well an algorithm adapts, as `garage_like.experiment.MetaEvaluator` does."""

    def evaluate(self, algo: Any) -> None:
        """Let it adapt to new tasks, and record how that went."""


class MetaRLAlgorithm(RLAlgorithm, abc.ABC):
    """Learn from tasks what lets a policy adapt to others."""

    _meta_evaluator: Evaluator | None = None
    _evaluate_every_n_epochs = 1
    _epochs_trained = 0

    @abc.abstractmethod
    def get_exploration_policy(self) -> Policy:
        """Return a policy that knows nothing of a new task, to be played until training goes on."""

    @abc.abstractmethod
    def adapt_policy(
        self, exploration_policy: Policy, exploration_episodes: EpisodeBatch
    ) -> Policy:
        """Return a policy for a task.

        Args:
            exploration_policy: what played, left as it is.
            exploration_episodes: of that task.
        """

    def evaluate_with(self, evaluator: Evaluator | None, every_n_epochs: int) -> None:
        """Say how adaptation is evaluated; to be called by constructors.

        Raises:
            TypeError: if the evaluator is none.
            ValueError: if every_n_epochs is not positive.
        """
        owner = type(self).__name__
        if evaluator is not None and not callable(getattr(evaluator, "evaluate", None)):
            raise TypeError(f"{owner}: meta_evaluator must be a MetaEvaluator, got {evaluator!r}")
        if every_n_epochs < 1:
            raise ValueError(
                f"{owner}: epochs between evaluations must be at least 1, got {every_n_epochs!r}"
            )
        self._meta_evaluator = evaluator
        self._evaluate_every_n_epochs = every_n_epochs

    def finish_meta_epoch(self) -> None:
        """Evaluate, if it is time; to be called at the end of each epoch."""
        is_time = self._epochs_trained % self._evaluate_every_n_epochs == 0
        if self._meta_evaluator is not None and is_time:
            log_step("Sampling and adapting to test tasks...")
            self._meta_evaluator.evaluate(self)
        self._epochs_trained += 1


def check_tasks(owner: str, task_sampler: Any, meta_batch_size: int) -> None:
    """Raise unless tasks can be drawn, and at least one is."""
    if not callable(getattr(task_sampler, "sample", None)):
        raise TypeError(
            f"{owner}: task_sampler must have a method sample(n_tasks), such as "
            f"SetTaskSampler(PointEnv), got {task_sampler!r}"
        )
    if meta_batch_size < 1:
        raise ValueError(f"{owner}: meta_batch_size must be at least 1, got {meta_batch_size!r}")
