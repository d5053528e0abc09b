"""The half of VPG, PPO and TRPO that needs no framework: data, advantages, cadence, metrics.

A backend's algorithm adds a loss and a gradient step: `_update` and `_entropies`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from garage_like.algos.advantages import (
    bootstrap_values,
    discount_cumsum,
    explained_variance,
    generalized_advantage_estimate,
)
from garage_like.algos.finite import check_losses, check_rewards
from garage_like.configuration.configured import NameOption, given_name
from garage_like.evaluation import log_performance
from garage_like.interfaces import Baseline, Metrics, RLAlgorithm
from garage_like.logging import tabular
from garage_like.logging.steps import log_step

if TYPE_CHECKING:
    from garage_like.data.batches import EpisodeBatch
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Policy, RunHandle, Sampler

EntropyMethod = Literal["max", "regularized", "no_entropy"]

RECENT_EPISODES = 100

METRICS: dict[str, str] = {
    "policy/LossBefore": "Loss of the whole batch before the update.",
    "policy/LossAfter": "Loss of the whole batch after the update.",
    "policy/dLoss": "LossBefore - LossAfter.",
    "policy/KLBefore": "Mean KL(old || new) before the update: 0 for a policy that sampled.",
    "policy/KL": "Mean KL(old || new) after the update, in nats.",
    "policy/Entropy": "Mean entropy of the actions after the update, in nats.",
    "policy/Perplexity": "exp(Entropy): how many actions the policy chooses among.",
    "Loss/Value": "Mean squared error of the value function, before it was fitted to the batch.",
    "<value function>/ExplainedVariance": "1 - Var(returns - values) / Var(returns), before it.",
    "Extras/EpisodeRewardMean": f"Mean return of the last {RECENT_EPISODES} episodes.",
}

OPTIONAL_METRICS: dict[str, str] = {
    "policy/StandardDeviation": "Mean standard deviation of the actions sampled (Gaussian ones).",
    "Learning/PolicyLearningRate": "Learning rate of the policy, where its optimizer has one.",
    "Learning/ValueLearningRate": "Learning rate of the value function, where it has one.",
}


@dataclass(frozen=True, eq=False)
class OnPolicyBatch:
    """What one update learns from.

    Attributes:
        episodes: as sampled.
        returns: shape (S,), discounted, bootstrapped where an episode was cut off.
        advantages: shape (S,), centred or made positive as the algorithm asks.
    """

    episodes: EpisodeBatch
    returns: np.ndarray
    advantages: np.ndarray


class OnPolicyOptions(NameOption, total=False):
    """Arguments that all on-policy algorithms take; see OnPolicyAlgorithm."""

    num_train_per_epoch: int
    discount: float
    center_adv: bool
    positive_adv: bool
    policy_ent_coeff: float
    use_softplus_entropy: bool
    stop_entropy_gradient: bool
    entropy_method: EntropyMethod


class OnPolicyAlgorithm(RLAlgorithm):
    """Learn from each batch of episodes once, then throw it away.

    Args:
        env_spec: of the environment that the policy acts in.
        policy: what is trained.
        value_function: a Baseline; anything with `predict(episodes)` and `fit(episodes, returns)`.
        sampler: where the trainer gets episodes; None for a LocalSampler of policy and environment.
        num_train_per_epoch: batches, each with its update, in one epoch.
        discount: factor for one env step.
        gae_lambda: 0 trusts the value function, 1 the rewards (arXiv:1506.02438).
        center_adv: shift and scale advantages to mean 0 and standard deviation 1.
        positive_adv: shift advantages so that the least is (nearly) 0.
        policy_ent_coeff: weight of the entropy of the policy.
        use_softplus_entropy: pass the entropy through softplus, so that it is never negative.
        stop_entropy_gradient: the entropy counts, but is not differentiated.
        entropy_method: 'max' adds entropy to rewards, 'regularized' to the objective.

    Raises:
        ValueError: if an argument is out of range, or the entropy options contradict each other.
        TypeError: if the value function is no Baseline.
    """

    METRICS = METRICS
    OPTIONAL_METRICS = OPTIONAL_METRICS

    _vf_optimizer: Any = None

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        value_function: Baseline,
        sampler: Sampler | None,
        *,
        num_train_per_epoch: int = 1,
        discount: float = 0.99,
        gae_lambda: float = 0.97,
        center_adv: bool = True,
        positive_adv: bool = False,
        policy_ent_coeff: float = 0.0,
        use_softplus_entropy: bool = False,
        stop_entropy_gradient: bool = False,
        entropy_method: EntropyMethod = "no_entropy",
        name: str | None = None,
    ) -> None:
        owner = type(self).__name__
        for name, value in (("discount", discount), ("gae_lambda", gae_lambda)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{owner}: {name} must be in [0, 1], got {value!r}")
        if num_train_per_epoch < 1:
            raise ValueError(
                f"{owner}: num_train_per_epoch must be at least 1, got {num_train_per_epoch!r}"
            )
        for method in ("predict", "fit"):
            if not callable(getattr(value_function, method, None)):
                raise TypeError(
                    f"{owner}: value_function must have the methods predict(episodes) and "
                    f"fit(episodes, returns), got {value_function!r}"
                )
        _check_entropy_options(
            owner, entropy_method, policy_ent_coeff, center_adv, stop_entropy_gradient
        )
        self.policy = policy
        self._env_spec = env_spec
        self._value_function = value_function
        self._sampler = sampler
        self._num_train_per_epoch = num_train_per_epoch
        self._discount = discount
        self._gae_lambda = gae_lambda
        self._center_adv = center_adv
        self._positive_adv = positive_adv
        self._policy_ent_coeff = policy_ent_coeff
        self._use_softplus_entropy = use_softplus_entropy
        self._stop_entropy_gradient = stop_entropy_gradient
        self._entropy_method = entropy_method
        self._recent_returns: deque[float] = deque(maxlen=RECENT_EPISODES)

    @property
    def discount(self) -> float:
        """Discount factor for one env step."""
        return self._discount

    def train_epoch(self, trainer: RunHandle) -> float:
        """Collect a batch and learn from it, `num_train_per_epoch` times.

        Returns:
            The average undiscounted return of the last batch; NaN if no episode ended in it.
        """
        average_return = float("nan")
        for _ in range(self._num_train_per_epoch):
            log_step(f"Obtaining samples for iteration {trainer.step_itr}...")
            episodes = trainer.obtain_episodes(trainer.step_itr)
            average_return = self._train_once(trainer.step_itr, episodes)
            trainer.step_itr += 1
        return average_return

    def _train_once(self, itr: int, episodes: EpisodeBatch) -> float:
        log_step("Logging diagnostics...")
        values, last_values = self._value_function.predict(episodes)
        log_step("Optimizing policy...")
        batch = self._learning_batch(episodes, values, last_values)
        metrics = {**self._update(batch), **self._learning_rates()}
        return self._record_batch(itr, episodes, batch.returns, values, metrics)

    def _record_batch(
        self,
        itr: int,
        episodes: EpisodeBatch,
        returns: np.ndarray,
        values: np.ndarray,
        metrics: dict[str, float],
    ) -> float:
        """Record metrics, and what is to be said of a batch; return its average return.

        Args:
            itr: the trainer's counter.
            episodes: as sampled.
            returns: shape (S,), discounted.
            values: shape (S,), which the value function gave to the same env steps.
            metrics: of the update.
        """
        metrics["Loss/Value"] = float(np.mean(np.square(returns - values)))
        check_losses(type(self).__name__, metrics)
        if "log_std" in episodes.agent_infos:
            deviations = np.exp(episodes.agent_infos["log_std"])
            metrics["policy/StandardDeviation"] = float(deviations.mean(dtype=np.float64))

        undiscounted = log_performance(itr, episodes, discount=self._discount)
        self._recent_returns.extend(undiscounted)
        policy = given_name(self.policy) or "policy"
        for key, value in metrics.items():
            tabular.record(key.replace("policy/", f"{policy}/", 1), value)
        name = given_name(self._value_function) or type(self._value_function).__name__
        tabular.record(f"{name}/ExplainedVariance", explained_variance(returns, values))
        tabular.record("Extras/EpisodeRewardMean", _mean(self._recent_returns))
        return _mean(undiscounted)

    def _learning_batch(
        self, episodes: EpisodeBatch, values: np.ndarray, last_values: np.ndarray
    ) -> OnPolicyBatch:
        """Turn rewards, values of shape (S,) and last_values of shape (N,) into targets."""
        rewards = episodes.rewards
        check_rewards(type(self).__name__, rewards)
        if self._entropy_method == "max":
            rewards = rewards + self._policy_ent_coeff * self._entropies(episodes)
        last_values = bootstrap_values(episodes, last_values)
        advantages = generalized_advantage_estimate(
            rewards, values, last_values, episodes.lengths, self._discount, self._gae_lambda
        )
        if self._center_adv:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        if self._positive_adv:
            advantages = advantages - advantages.min() + 1e-8
        returns = discount_cumsum(rewards, episodes.lengths, self._discount, last_values)
        return OnPolicyBatch(episodes, returns, advantages)

    @staticmethod
    def _log_before_update() -> None:
        """Log what an update begins with, as garage does."""
        for step in ("Computing loss before", "Computing KL before", "Optimizing"):
            log_step(step)

    @staticmethod
    def _log_after_update() -> None:
        """Log what an update ends with, as garage does."""
        for step in ("Computing KL after", "Computing loss after", "Fitting baseline..."):
            log_step(step)

    def _update(self, batch: OnPolicyBatch) -> Metrics:
        """Move the policy and the value function; return the metrics `policy/...`."""
        raise NotImplementedError(f"{type(self).__name__} must implement _update")

    def _train_value_function(self, batch: OnPolicyBatch) -> None:
        """Fit the value function to the returns."""
        options = {} if self._vf_optimizer is None else {"optimizer": self._vf_optimizer}
        self._value_function.fit(batch.episodes, batch.returns, **options)

    def _learning_rates(self) -> dict[str, float]:
        """Return the present learning rates, as `Learning/...`, where there are any."""
        return {}

    def _entropies(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return the policy's entropy at each observation, shape (S,); for 'max' only."""
        raise NotImplementedError(f"{type(self).__name__} must implement _entropies")


def _mean(returns: Collection[float]) -> float:
    return sum(returns) / len(returns) if returns else float("nan")


def policy_metrics(
    *, loss_before: float, loss_after: float, kl: float, entropy: float
) -> dict[str, float]:
    """Name what every on-policy update reports.

    KLBefore is 0 because the policy that is updated is the policy that sampled.
    """
    return {
        "policy/LossBefore": loss_before,
        "policy/LossAfter": loss_after,
        "policy/dLoss": loss_before - loss_after,
        "policy/KLBefore": 0.0,
        "policy/KL": kl,
        "policy/Entropy": entropy,
        "policy/Perplexity": float(np.exp(entropy)),
    }


def _check_entropy_options(
    owner: str, method: Any, coefficient: float, center_adv: bool, stop_gradient: bool
) -> None:
    if method not in ("max", "regularized", "no_entropy"):
        raise ValueError(
            f"{owner}: entropy_method must be 'max', 'regularized' or 'no_entropy', got {method!r}"
        )
    if method == "no_entropy" and coefficient != 0.0:
        raise ValueError(
            f"{owner}: policy_ent_coeff={coefficient!r} has no effect with "
            "entropy_method='no_entropy'; choose 'max' or 'regularized', or leave it 0"
        )
    if method == "max" and center_adv:
        raise ValueError(
            f"{owner}: entropy_method='max' adds entropy to the rewards, and center_adv=True would "
            "take it out again; pass center_adv=False"
        )
    if method == "max" and not stop_gradient:
        raise ValueError(
            f"{owner}: entropy_method='max' does not differentiate the entropy; pass "
            "stop_entropy_gradient=True"
        )
