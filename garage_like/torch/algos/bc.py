"""BC: behavioural cloning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from garage_like import seeding
from garage_like.algos.epoch_averages import EpochAverages
from garage_like.algos.evaluation_rounds import EvaluationRounds
from garage_like.algos.finite import check_losses
from garage_like.data.batches import EpisodeBatch, TimeStepBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import RLAlgorithm, Sampler
from garage_like.torch.devices import Movable
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerSpec, OptimizerWrapper
from garage_like.torch.policies.policy import Policy
from garage_like.torch.policies.stochastic_policy import StochasticPolicy

if TYPE_CHECKING:
    from garage_like.interfaces import Environment, RunHandle

Source = Any
"""A policy to imitate, or a record: EpisodeBatch, TimeStepBatch, or a sequence of them."""


class BC(Movable, RLAlgorithm):
    """Take the actions that an expert takes, learned from examples.

    Pomerleau 1989. The expert is a policy, which the sampler plays again in each epoch, or a record
    of what it did.

    Args:
        env_spec: of the environment that the policy acts in.
        learner: what is trained.
        batch_size: examples in a minibatch.
        source: the expert: a policy, a TimeStepBatch, an EpisodeBatch, or a sequence of batches.
        sampler: plays a policy; not used for a record.
        policy_optimizer: a class, or a pair of it and its keyword arguments.
        policy_lr: learning rate.
        loss: 'log_prob' makes the expert's actions likely, 'mse' makes those of the policy equal.
        minibatches_per_epoch: gradient steps in an epoch.
        num_evaluation_episodes: played after each epoch; 0 evaluates nothing.
        eval_env: where to evaluate; None for a copy of the trainer's environment.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if the source is none of what it may be.
    """

    METRICS = {
        "Loss/Policy": "Loss of the policy, averaged over the epoch's gradient steps.",
        "Learning/PolicyLearningRate": "Learning rate of the policy.",
    }

    policy: Policy

    def __init__(
        self,
        env_spec: EnvSpec,
        learner: Policy,
        *,
        batch_size: int,
        source: Source,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerSpec = torch.optim.Adam,
        policy_lr: float = 1e-3,
        loss: Literal["log_prob", "mse"] = "log_prob",
        minibatches_per_epoch: int = 16,
        num_evaluation_episodes: int = 10,
        eval_env: Environment | None = None,
        name: str | None = None,
    ) -> None:
        if loss not in ("log_prob", "mse"):
            raise ValueError(f"BC: loss must be 'log_prob' or 'mse', got {loss!r}")
        if loss == "log_prob" and not isinstance(learner, StochasticPolicy):
            raise ValueError(
                "BC: loss='log_prob' needs a learner with probabilities, a StochasticPolicy, got "
                f"{type(learner).__name__}; for a deterministic one use loss='mse'"
            )
        if loss == "mse" and env_spec.is_discrete:
            raise ValueError("BC: loss='mse' is for continuous actions; use loss='log_prob'")
        for name, count in (
            ("batch_size", batch_size),
            ("minibatches_per_epoch", minibatches_per_epoch),
        ):
            if count < 1:
                raise ValueError(f"BC: {name} must be at least 1, got {count!r}")
        self.policy = learner
        self._env_spec = env_spec
        self._sampler = sampler
        self._expert = source if hasattr(source, "get_action") else None
        self._examples = None if self._expert is not None else _examples(source)
        if self._expert is not None and sampler is None:
            raise ValueError("BC: a policy as source needs a sampler that plays it")
        self._batch_size = batch_size
        self._loss_kind = loss
        self._minibatches_per_epoch = minibatches_per_epoch
        cls, keywords = (
            policy_optimizer if isinstance(policy_optimizer, tuple) else (policy_optimizer, {})
        )
        self._policy_optimizer = OptimizerWrapper((cls, {"lr": policy_lr, **keywords}), learner)
        self._evaluation = EvaluationRounds(num_evaluation_episodes, eval_env)
        self._averages = EpochAverages(("Loss/Policy",))
        self._rng = seeding.stream("BC")

    def train_epoch(self, trainer: RunHandle) -> float:
        """Take gradient steps on minibatches of examples; return the average return."""
        from garage_like.logging import tabular

        observations, actions = self._obtain_examples(trainer)
        for _ in range(self._minibatches_per_epoch):
            rows = self._rng.integers(0, len(actions), self._batch_size)
            loss = self._loss(self.policy.flatten(observations[rows]), actions[rows])
            self._policy_optimizer.zero_grad()
            loss.backward()
            self._policy_optimizer.step()
            found = {"Loss/Policy": loss.item()}
            check_losses(type(self).__name__, found)
            self._averages.add(found)
        self._policy_optimizer.forget_gradients()
        trainer.step_itr += 1
        rate = float(self._policy_optimizer.optimizer.param_groups[0]["lr"])
        metrics = {**self._averages.take(), "Learning/PolicyLearningRate": rate}
        for key, value in metrics.items():
            tabular.record(key, value)
        return self._evaluation.play(trainer, self.policy, 1.0)

    def _obtain_examples(self, trainer: RunHandle) -> tuple[np.ndarray, np.ndarray]:
        """Return the record, or what the expert does now."""
        if self._examples is not None:
            return self._examples
        episodes = trainer.obtain_episodes(trainer.step_itr, agent_update=self._expert)
        return episodes.observations, episodes.actions

    def _loss(self, observations: torch.Tensor, expert_actions: np.ndarray) -> torch.Tensor:
        """Compute -mean log pi(a | s), or the mean squared distance to a.

        Args:
            observations: shape (B, D), flat.
            expert_actions: shape (B, A*) or (B,).
        """
        if self._env_spec.is_discrete:
            actions = torch.as_tensor(expert_actions, dtype=torch.int64)
        else:
            actions = torch.as_tensor(expert_actions, dtype=torch.float32).flatten(1)
        actions = actions.to(observations.device)
        output = self.policy(observations)
        if self._loss_kind == "log_prob":
            return -output[0].log_prob(actions).mean()
        chosen = output[0].mode if isinstance(self.policy, StochasticPolicy) else output
        return (chosen - actions).square().sum(1).mean()


def _examples(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Return observations and actions of a record."""
    batches = list(source) if isinstance(source, Sequence) else [source]
    if not batches or not all(isinstance(b, EpisodeBatch | TimeStepBatch) for b in batches):
        raise TypeError(
            "BC: source must be a policy, a TimeStepBatch, an EpisodeBatch, or a sequence of "
            f"batches, got {source!r}"
        )
    return (
        np.concatenate([batch.observations for batch in batches]),
        np.concatenate([batch.actions for batch in batches]),
    )
