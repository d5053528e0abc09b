"""TabularAlgorithm: what Q-learning and SARSA have in common."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from garage_like import seeding
from garage_like.algos.epoch_averages import EpochAverages
from garage_like.algos.evaluation_rounds import EvaluationRounds
from garage_like.algos.finite import check_losses, check_rewards
from garage_like.algos.off_policy import RECENT_EPISODES, finished_episodes
from garage_like.algos.schedules import Schedule, as_schedule
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import RLAlgorithm, Sampler
from garage_like.np.policies.tabular_argmax_policy import TabularArgmaxPolicy
from garage_like.np.q_functions.tabular_q_function import TabularQFunction

if TYPE_CHECKING:
    from garage_like.interfaces import Environment, RunHandle


class TabularAlgorithm(RLAlgorithm):
    """Move a table of values towards what each env step earned and what it led to.

    Each batch is gone through once, step by step, in the order in which it was played. Textbooks
    learn after every env step: that is `train(batch_size=1)` with a FragmentWorker of one
    environment; larger batches are faster and act by a table that is a batch old.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: takes the best action by `qf`.
        qf: what is trained.
        sampler: where the trainer gets transitions.
        exploration_policy: acts while collecting, such as EpsilonGreedyPolicy.
        learning_rate: how far an entry moves towards its target, a number or a Schedule.
        discount: factor for one env step.
        steps_per_epoch: batches in one epoch.
        num_evaluation_episodes: played after each epoch; 0 evaluates nothing.
        eval_env: where to evaluate; None for a copy of the trainer's environment.

    Raises:
        ValueError: if an argument is out of range.
    """

    METRICS = {
        "Loss/TemporalDifference": "Mean distance of the table's entries from their targets.",
        "Learning/LearningRate": "How far an entry moves towards its target.",
        "Extras/EpisodeRewardMean": f"Mean return of the last {RECENT_EPISODES} training episodes.",
    }
    OPTIONAL_METRICS = {"Exploration/Epsilon": "Probability of a random action."}

    policy: TabularArgmaxPolicy

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: TabularArgmaxPolicy,
        qf: TabularQFunction,
        sampler: Sampler,
        *,
        exploration_policy: Any,
        learning_rate: float | Schedule = 0.1,
        discount: float = 0.99,
        steps_per_epoch: int = 1,
        num_evaluation_episodes: int = 10,
        eval_env: Environment | None = None,
        name: str | None = None,
    ) -> None:
        owner = type(self).__name__
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"{owner}: discount must be in [0, 1], got {discount!r}")
        if steps_per_epoch < 1:
            raise ValueError(f"{owner}: steps_per_epoch must be at least 1, got {steps_per_epoch}")
        self.policy = policy
        self.exploration_policy = exploration_policy
        self._env_spec = env_spec
        self._qf = qf
        self._sampler = sampler
        self._learning_rate = as_schedule(owner, "learning_rate", learning_rate)
        self._discount = discount
        self._steps_per_epoch = steps_per_epoch
        self._evaluation = EvaluationRounds(num_evaluation_episodes, eval_env)
        self._averages = EpochAverages(("Loss/TemporalDifference",))
        self._recent: deque[tuple[float, int]] = deque(maxlen=RECENT_EPISODES)
        self._env_steps = 0
        self._rng = seeding.stream(owner)

    def train_epoch(self, trainer: RunHandle) -> float:
        """Collect and learn, `steps_per_epoch` times; then evaluate.

        Returns:
            The average undiscounted return of the evaluation.
        """
        from garage_like.logging import tabular

        for _ in range(self._steps_per_epoch):
            episodes = trainer.obtain_episodes(
                trainer.step_itr, agent_update=self.exploration_policy
            )
            check_rewards(type(self).__name__, episodes.rewards)
            self._learn(episodes)
            self._env_steps += episodes.num_steps
            self.exploration_policy.update(episodes)
            self._recent.extend(finished_episodes(episodes))
            trainer.step_itr += 1
        returns = [total for total, _ in self._recent]
        metrics = {
            **self._averages.take(),
            **self.exploration_policy.metrics(),
            "Learning/LearningRate": self._learning_rate.value(self._env_steps),
            "Extras/EpisodeRewardMean": float(np.mean(returns)) if returns else float("nan"),
        }
        for key, value in metrics.items():
            tabular.record(key, value)
        return self._evaluation.play(trainer, self.policy, self._discount)

    def _learn(self, episodes: EpisodeBatch) -> None:
        """Move an entry for each step of a batch."""
        table, rate = self._qf.table, self._learning_rate.value(self._env_steps)
        following = self._following_actions(episodes)
        errors = 0.0
        for (observation, action, reward, after, is_terminal), next_action in zip(
            _steps(episodes), following, strict=True
        ):
            value = 0.0 if is_terminal else self._value_after(after, next_action)
            error = reward + self._discount * value - table[observation, action]
            table[observation, action] += rate * error
            errors += abs(error)
        loss = {"Loss/TemporalDifference": float(errors / episodes.num_steps)}
        check_losses(type(self).__name__, loss)
        self._averages.add(loss)

    def _following_actions(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return the action that follows each step, shape (S,), if the algorithm asks for it."""
        return np.zeros(episodes.num_steps, np.int64)

    def _value_after(self, observation: int, action: int) -> float:
        """Return what is still to be earned from an observation on, where the episode goes on."""
        raise NotImplementedError(f"{type(self).__name__} must implement _value_after")


def _steps(episodes: EpisodeBatch) -> Iterator[tuple[int, int, float, int, bool]]:
    """Yield observation, action, reward, next observation and termination of each step."""
    return zip(
        episodes.observations.tolist(),
        episodes.actions.tolist(),
        episodes.rewards.tolist(),
        episodes.next_observations.tolist(),
        (episodes.step_types == StepType.TERMINAL).tolist(),
        strict=True,
    )
