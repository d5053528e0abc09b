"""The half of DQN, DDPG, TD3, SAC and TQC that needs no framework: collect, store, cadence, log.

A backend's algorithm adds a loss and a gradient step: `_update`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from garage_like.algos.epoch_averages import EpochAverages
from garage_like.algos.evaluation_rounds import EvaluationRounds
from garage_like.algos.finite import check_finite, check_rewards
from garage_like.algos.learning_networks import LearningNetworks
from garage_like.algos.uniform_random_policy import UniformRandomPolicy
from garage_like.configuration.configured import NameOption
from garage_like.configuration.garage_arguments import OffPolicyNames
from garage_like.data.batches import EpisodeBatch
from garage_like.interfaces import Metrics
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import FragmentWorker, LocalSampler

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from garage_like.algos.schedules import Schedule
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Environment, Policy, RunHandle, Sampler
    from garage_like.replay_buffer.transitions import Transitions

RECENT_EPISODES = 100

# Those that an algorithm's update reports are averages over the gradient steps of an epoch.
METRICS: dict[str, str] = {
    "Loss/Policy": "Loss of the policy.",
    "Loss/Critic": "Loss of the Q-functions.",
    "Loss/Entropy": "Loss of the temperature.",
    "Q-network/Q1": "Mean value that the first Q-function gives to transitions drawn.",
    "Q-network/Q2": "Mean value that the second one gives to them.",
    "Target/Mean": "Mean of what those values are moved towards.",
    "Coefficient/Entropy": "Temperature: how many units of return a nat of entropy is worth.",
    "policy/Entropy": "Mean entropy of the policy, estimated from its samples, in nats.",
    "Exploration/Epsilon": "Probability of a random action.",
    "Exploration/Noise": "Standard deviation of the noise on actions.",
    "Learning/PolicyLearningRate": "Learning rate of the policy.",
    "Learning/CriticLearningRate": "Learning rate of the Q-functions.",
    "Learning/EntropyLearningRate": "Learning rate of the temperature.",
    "ReplayBuffer/Size": "Transitions stored.",
    "Learning/GradientSteps": "Gradient steps of the run so far.",
    "Extras/EpisodeRewardMean": f"Mean return of the last {RECENT_EPISODES} training episodes.",
    "Extras/EpisodeLengthMean": f"Mean length of the last {RECENT_EPISODES} training episodes.",
}


OPTIONAL_METRICS: dict[str, str] = {
    name: METRICS[name]
    for name in ("Exploration/Epsilon", "Exploration/Noise", "Learning/EntropyLearningRate")
}
_OF_ALL = (
    "ReplayBuffer/Size",
    "Learning/GradientSteps",
    "Extras/EpisodeRewardMean",
    "Extras/EpisodeLengthMean",
)


def metrics_of(update_metrics: Iterable[str], *others: str) -> dict[str, str]:
    """Return METRICS of one algorithm: what its updates report, others, and those of all."""
    return {name: METRICS[name] for name in (*update_metrics, *others, *_OF_ALL)}


class OffPolicyOptions(NameOption, total=False):
    """Arguments that all off-policy algorithms take; see OffPolicyAlgorithm."""

    exploration_policy: Any
    steps_per_epoch: int
    gradient_steps_per_itr: int | None
    gradient_steps_per_env_step: float
    buffer_batch_size: int
    min_buffer_size: int
    discount: float
    reward_scale: float
    num_evaluation_episodes: int
    eval_env: Environment | Sequence[Environment] | None
    max_episode_length_eval: int | None
    use_deterministic_evaluation: bool
    uniform_random_policy: Any
    start_steps: int


class OffPolicyKeywords(OffPolicyOptions, OffPolicyNames, total=False):
    """The same, by garage's names too."""


class OffPolicyAlgorithm(LearningNetworks):
    """Store what was collected, and learn from minibatches of all that is stored.

    An epoch is `steps_per_epoch` times: collect the batch that `train(batch_size=...)` asks for,
    store it, take gradient steps. Until the buffer holds `min_buffer_size` transitions nothing is
    learned, and up to the first gradient step actions are random.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        replay_buffer: a PathBuffer of any kind.
        sampler: where the trainer gets transitions; None for a FragmentWorker in the trainer's
            environment, which goes on mid-episode from batch to batch.
        exploration_policy: acts while collecting, such as EpsilonGreedyPolicy or AddGaussianNoise;
            None for `policy` itself.
        steps_per_epoch: batches, each followed by gradient steps, in one epoch.
        gradient_steps_per_itr: gradient steps after each batch; None goes by the next argument.
        gradient_steps_per_env_step: gradient steps for each env step of a batch; may be a fraction.
        buffer_batch_size: transitions in a minibatch.
        min_buffer_size: transitions that must be stored before the first gradient step.
        discount: factor for one env step.
        reward_scale: factor for the rewards that are learned from.
        num_evaluation_episodes: played after each epoch; 0 evaluates nothing.
        eval_env: where to evaluate; None for a copy of the environment that is trained in.
        max_episode_length_eval: env steps after which evaluation cuts an episode off.
        use_deterministic_evaluation: evaluate by the mode of the policy's distribution.
        uniform_random_policy: acts at first; None for one that takes any action.
        start_steps: env steps that it acts for, if it is to act after the first gradient step too.

    Attributes:
        replay_buffer: as given.
        exploration_policy: what collects once the buffer holds enough.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the replay buffer is none.
    """

    METRICS = metrics_of(())
    OPTIONAL_METRICS = OPTIONAL_METRICS
    UPDATE_METRICS: tuple[str, ...] = ()
    REPLACED: ClassVar[Mapping[str, str]] = {
        "_train_once": "train_once(itr, episodes)",
        "_actor_objective": "_update(transitions)",
        "_critic_objective": "_update(transitions)",
        "_temperature_objective": "_update(transitions)",
        "_get_log_alpha": "_log_alpha(observations)",
        "_update_target": "_update(transitions)",
        "_update_targets": "_update(transitions)",
        "update_target": "_update(transitions)",
        "_update_network_parameters": "_update(transitions)",
        "_evaluate_policy": "train_epoch(trainer)",
        "_obtain_evaluation_samples": "train_epoch(trainer)",
        "_log_statistics": "_record_metrics()",
        "init_opt": "_update(transitions)",
    }

    _start_steps = 0  # of older snapshots

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        replay_buffer: PathBuffer,
        sampler: Sampler | None,
        *,
        exploration_policy: Any = None,
        steps_per_epoch: int = 1,
        gradient_steps_per_itr: int | None = None,
        gradient_steps_per_env_step: float = 1.0,
        buffer_batch_size: int = 64,
        min_buffer_size: int = 10_000,
        discount: float = 0.99,
        reward_scale: float = 1.0,
        num_evaluation_episodes: int = 10,
        eval_env: Environment | Sequence[Environment] | None = None,
        max_episode_length_eval: int | None = None,
        use_deterministic_evaluation: bool = True,
        uniform_random_policy: Any = None,
        start_steps: int = 0,
        name: str | None = None,
    ) -> None:
        owner = type(self).__name__
        if not isinstance(replay_buffer, PathBuffer):
            raise TypeError(
                f"{owner}: replay_buffer must be a PathBuffer, a PrioritizedReplayBuffer or a "
                f"HERReplayBuffer, got {replay_buffer!r}"
            )
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"{owner}: discount must be in [0, 1], got {discount!r}")
        if gradient_steps_per_itr is not None and gradient_steps_per_itr < 0:
            raise ValueError(
                f"{owner}: gradient_steps_per_itr must be 0 or more, got {gradient_steps_per_itr!r}"
            )
        if not 0.0 <= gradient_steps_per_env_step < float("inf"):
            raise ValueError(
                f"{owner}: gradient_steps_per_env_step must be 0 or more, got "
                f"{gradient_steps_per_env_step!r}"
            )
        for name, count in (
            ("steps_per_epoch", steps_per_epoch),
            ("buffer_batch_size", buffer_batch_size),
            ("min_buffer_size", min_buffer_size),
        ):
            if count < 1:
                raise ValueError(f"{owner}: {name} must be at least 1, got {count!r}")
        if min_buffer_size > replay_buffer.capacity:
            raise ValueError(
                f"{owner}: min_buffer_size={min_buffer_size} is never reached in a buffer with "
                f"room for {replay_buffer.capacity} transitions"
            )
        self.policy = policy
        self.replay_buffer = replay_buffer
        self.exploration_policy: Any = policy if exploration_policy is None else exploration_policy
        self._env_spec = env_spec
        self._sampler = sampler
        self._random_policy = uniform_random_policy or UniformRandomPolicy(env_spec)
        self._start_steps = start_steps
        self._steps_per_epoch = steps_per_epoch
        self._gradient_steps_per_itr = gradient_steps_per_itr
        self._gradient_steps_per_env_step = gradient_steps_per_env_step
        self._buffer_batch_size = buffer_batch_size
        self._min_buffer_size = min_buffer_size
        self._discount = discount
        self._reward_scale = reward_scale
        self._evaluation = EvaluationRounds(
            num_evaluation_episodes,
            eval_env,
            max_episode_length=max_episode_length_eval,
            deterministic=use_deterministic_evaluation,
        )
        self._averages = EpochAverages(self.UPDATE_METRICS)
        self._recent: deque[tuple[float, int]] = deque(maxlen=RECENT_EPISODES)
        self._env_steps = 0
        self._gradient_steps = 0
        self._owed_steps = 0.0
        self._rates: dict[str, Schedule] = {}

    @property
    def discount(self) -> float:
        """Discount factor for one env step."""
        return self._discount

    @property
    def is_warming_up(self) -> bool:
        """Whether too little is stored to learn from."""
        return self.replay_buffer.n_transitions_stored < self._min_buffer_size

    @property
    def _knows_nothing(self) -> bool:
        """Whether random actions are as good as any: not while lost memory is filled again."""
        if self._env_steps < self._start_steps:
            return True
        return self.is_warming_up and not self._gradient_steps

    def train_epoch(self, trainer: RunHandle) -> float:
        """Collect, store and learn, `steps_per_epoch` times; then evaluate.

        Returns:
            The average undiscounted return of the evaluation, or of the last training episodes if
            there is none.
        """
        for _ in range(self._steps_per_epoch):
            episodes = self._collect(trainer)
            if not self.is_warming_up:
                self.train_once(trainer.step_itr, episodes)
            trainer.step_itr += 1
        self._finish_epoch()
        self._record_metrics()
        evaluated = self._evaluation.play(trainer, self.policy, self._discount)
        return self._recent_mean(0) if np.isnan(evaluated) else evaluated

    def _collect(self, trainer: RunHandle) -> EpisodeBatch:
        """Store a batch, and return it."""
        if self._sampler is None:
            self._sampler = LocalSampler(
                self.exploration_policy,
                trainer.env,
                worker_class=FragmentWorker,
                worker_args={"n_envs": 1},
            )
        agent = self._random_policy if self._knows_nothing else self.exploration_policy
        episodes = trainer.obtain_episodes(trainer.step_itr, agent_update=agent)
        check_rewards(type(self).__name__, episodes.rewards)
        self.replay_buffer.add_episode_batch(episodes)
        if self.exploration_policy is not self.policy:
            self.exploration_policy.update(episodes)
        self._env_steps += episodes.num_steps
        self._recent.extend(finished_episodes(episodes))
        return episodes

    def train_once(self, itr: int, episodes: EpisodeBatch) -> None:
        """Take the gradient steps that a batch calls for, once the buffer holds enough.

        Args:
            itr: garage's counter of train calls.
            episodes: what was stored last.
        """
        self._set_learning_rates(self._env_steps)
        count = self._gradient_steps_per_itr
        if count is None:
            self._owed_steps += episodes.num_steps * self._gradient_steps_per_env_step
            count = int(self._owed_steps)
            self._owed_steps -= count
        for _ in range(count):
            transitions = self._draw_transitions()
            outcome: Any = self.optimize_policy(transitions)
            # An override that does all by itself, as garage's may, reports nothing of this.
            is_ours = isinstance(outcome, tuple) and isinstance(outcome[0], Mapping)
            if is_ours:
                metrics, errors = outcome
                step = self._gradient_steps + 1
                check_finite(type(self).__name__, metrics, f" at gradient step {step}")
                self.replay_buffer.update_priorities(transitions, errors)
                self._averages.add(metrics)
            self._gradient_steps += 1
        self._finish_itr()

    def _draw_transitions(self) -> Transitions:
        """Draw a minibatch: with what was before, if the policy remembers that."""
        length = getattr(self.policy, "history_length", 0)
        if length:
            return self.replay_buffer.sample_histories(self._buffer_batch_size, length)
        return self.replay_buffer.sample_transitions(self._buffer_batch_size)

    def optimize_policy(self, samples_data: Transitions) -> Any:
        """Take one gradient step, of everything that learns; for subclasses, as in garage.

        Args:
            samples_data: a minibatch.

        Returns:
            UPDATE_METRICS, and errors, shape (B,), for priorities. An override may return anything
            else: then neither is known.
        """
        return self._take_gradient_step(samples_data)

    def _take_gradient_step(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        """Do what `_update` does; a backend may know a shorter way to the same result."""
        return self._update(transitions)

    def _update(self, transitions: Transitions) -> tuple[Metrics, np.ndarray]:
        """Take one gradient step; return UPDATE_METRICS and errors, shape (B,), for priorities."""
        raise NotImplementedError(f"{type(self).__name__} must implement _update")

    def _finish_itr(self) -> None:
        """Do what is due after the gradient steps that follow a batch."""

    def _finish_epoch(self) -> None:
        """Do what is due after the last gradient step of an epoch."""

    def _record_metrics(self) -> None:
        from garage_like.logging import tabular

        metrics = {
            **self._averages.take(),
            **self._learning_rates(),
            "ReplayBuffer/Size": self.replay_buffer.n_transitions_stored,
            "Learning/GradientSteps": self._gradient_steps,
            "Extras/EpisodeRewardMean": self._recent_mean(0),
            "Extras/EpisodeLengthMean": self._recent_mean(1),
        }
        if self.exploration_policy is not self.policy:
            metrics |= self.exploration_policy.metrics()
        for key, value in metrics.items():
            tabular.record(key, value)

    def _recent_mean(self, column: int) -> float:
        """Average returns (0) or lengths (1) of recent episodes; NaN if none has ended yet."""
        numbers = [episode[column] for episode in self._recent]
        return float(np.mean(numbers)) if numbers else float("nan")


def finished_episodes(episodes: EpisodeBatch) -> list[tuple[float, int]]:
    """Return (undiscounted return, length) of each episode that ended in a batch.

    Of an episode that came in fragments, both are those of the whole (FragmentWorker).
    """
    ended = episodes.have_ended
    if not np.count_nonzero(ended):  # in a fifth of the time of `any`
        return []
    infos = episodes.episode_infos_by_episode
    returns, lengths = infos.get("EpisodeReturn"), infos.get("EpisodeLength")
    if returns is None or lengths is None:
        returns = np.add.reduceat(episodes.rewards, episodes.ends - episodes.lengths)
        lengths = episodes.lengths
    return list(zip(returns[ended].tolist(), lengths[ended].tolist(), strict=True))
