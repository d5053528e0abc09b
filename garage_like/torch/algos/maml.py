"""MAML: weights from which one gradient step on a new task goes a long way."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.distributions import Distribution, kl_divergence
from torch.func import functional_call

from garage_like.algos.meta_rl_algorithm import (
    META_METRICS,
    Evaluator,
    MetaRLAlgorithm,
    Tasks,
    check_tasks,
)
from garage_like.algos.on_policy import METRICS, OPTIONAL_METRICS, OnPolicyOptions, policy_metrics
from garage_like.configuration.extension_points import overrides
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Environment, Sampler
from garage_like.logging import tabular
from garage_like.logging.steps import log_step
from garage_like.torch.algos.vpg import VPG
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy

if TYPE_CHECKING:
    from garage_like.interfaces import RunHandle

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Rollout:
    """What one policy did in one task.

    Attributes:
        episodes: as sampled.
        returns: shape (S,), discounted.
        values: shape (S,), of a baseline that was fitted to these returns.
        observations: shape (S, D), flat.
        data: observations, actions, advantages and old log-probabilities; where a subclass asks for
            them, rewards, too: what `_loss` takes.
    """

    episodes: EpisodeBatch
    returns: np.ndarray
    values: np.ndarray
    observations: torch.Tensor
    data: tuple[torch.Tensor, ...]


class MAMLOptions(OnPolicyOptions, total=False):
    """Arguments that MAML takes by whatever algorithm; see MAML."""

    vf_optimizer: OptimizerWrapper | None
    num_grad_updates: int
    meta_evaluator: Evaluator | None
    evaluate_every_n_epochs: int


class MAML(MetaRLAlgorithm, VPG):
    """Train weights such that a gradient step on a new task makes a good policy of them.

    Finn et al. 2017, arXiv:1703.03400. For each of a batch of tasks,

        theta_i = theta - inner_lr * grad L_i(theta),

    on episodes that theta played; then theta goes along -grad of the mean of L_i(theta_i), on
    episodes that theta_i played, through the inner step: second order. The loss L, and how theta is
    moved, are those of the class that comes after this one among a class's bases.

    The baseline is fitted to each batch from its first state on: no task knows of another.

    Args:
        env: the environment that is trained in, or its spec.
        value_function: a value function in torch, or any other Baseline; LinearFeatureBaseline is
            the paper's.
        sampler: where the trainer gets episodes; `train(batch_size=...)` is the number of env steps
            for each task and each weights.
        task_sampler: draws the tasks, as `SetTaskSampler(PointEnv)` does.
        inner_lr: length of the inner step, for one unit of gradient.
        outer_lr: learning rate of Adam, which moves the weights that adaptation begins with.
        meta_batch_size: tasks of one update.
        num_grad_updates: inner steps, each on episodes of its own.
        meta_evaluator: tells how well new tasks are adapted to; None for nothing.
        evaluate_every_n_epochs: how often it does.
        **options: other arguments of the algorithm.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is of the wrong kind.
    """

    METRICS = {
        **METRICS,
        "Adaptation/AverageReturnBefore": "Mean return in training tasks before inner steps.",
        "Adaptation/AverageReturnAfter": "Mean return in training tasks after inner steps.",
    }
    OPTIONAL_METRICS = {**OPTIONAL_METRICS, **META_METRICS}

    def __init__(
        self,
        env: Environment | EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None,
        task_sampler: Tasks,
        inner_lr: float = 0.1,
        outer_lr: float = 1e-3,
        *,
        gae_lambda: float = 1.0,
        meta_batch_size: int = 20,
        num_grad_updates: int = 1,
        meta_evaluator: Evaluator | None = None,
        evaluate_every_n_epochs: int = 1,
        **options: Any,
    ) -> None:
        owner = type(self).__name__
        check_tasks(owner, task_sampler, meta_batch_size)
        if not inner_lr > 0.0:
            raise ValueError(f"{owner}: inner_lr must be positive, got {inner_lr!r}")
        if num_grad_updates < 1:
            raise ValueError(
                f"{owner}: num_grad_updates must be at least 1, got {num_grad_updates!r}"
            )
        spec = env if isinstance(env, EnvSpec) else env.spec
        if isinstance(value_function, nn.Module) and options.get("vf_optimizer") is None:
            options["vf_optimizer"] = OptimizerWrapper(
                (torch.optim.Adam, {"lr": 1e-2}), value_function, max_optimization_epochs=10
            )
        options.setdefault(
            "policy_optimizer", OptimizerWrapper((torch.optim.Adam, {"lr": outer_lr}), policy)
        )
        super().__init__(spec, policy, value_function, sampler, gae_lambda=gae_lambda, **options)
        self.evaluate_with(meta_evaluator, evaluate_every_n_epochs)
        self._task_sampler = task_sampler
        self._meta_batch_size = meta_batch_size
        self._inner_lr = inner_lr
        self._num_grad_updates = num_grad_updates
        self._untrained = copy.deepcopy((self._value_function, self._vf_optimizer))

    def train_epoch(self, trainer: RunHandle) -> float:
        """Draw tasks, adapt to each, and move the weights, `num_train_per_epoch` times.

        Returns:
            The average undiscounted return after adaptation, in training tasks.
        """
        average_return = float("nan")
        for _ in range(self._num_train_per_epoch):
            updates = self._task_sampler.sample(self._meta_batch_size)
            log_step(f"Obtaining samples for iteration {trainer.step_itr}...")
            tasks = [self._play(trainer, update) for update in updates]
            log_step("Optimizing policy...")
            metrics = {**self._meta_update(tasks), **self._learning_rates()}
            average_return = self._record(trainer.step_itr, tasks, metrics)
            trainer.step_itr += 1
        self.finish_meta_epoch()
        return average_return

    def _play(self, trainer: RunHandle, update: Any) -> list[Rollout]:
        """Play a task with theta, and with the weights after each inner step."""
        weights = self._theta()
        rollouts: list[Rollout] = []
        for step in range(self._num_grad_updates + 1):
            if rollouts:
                with torch.no_grad():
                    weights = self._adapted(weights, rollouts[-1])
            with self._with_weights(weights):
                episodes = trainer.obtain_episodes(
                    trainer.step_itr, env_update=None if step else update
                )
                rollouts.append(self._rollout(episodes))
        return rollouts

    def _theta(self) -> Weights:
        return dict(self.policy.named_parameters())

    @contextlib.contextmanager
    def _with_weights(self, weights: Mapping[str, torch.Tensor]) -> Iterator[None]:
        """Let the policy, wherever it is held, have other weights for a while."""
        theta = {name: weight.detach().clone() for name, weight in self._theta().items()}
        try:
            set_weights(self.policy, weights)
            yield
        finally:
            set_weights(self.policy, theta)

    def _rollout(self, episodes: EpisodeBatch) -> Rollout:
        """Make of episodes what losses need; the policy has the weights that played them."""
        self._value_function, self._vf_optimizer = copy.deepcopy(self._untrained)
        predict = self._value_function.predict
        self._train_value_function(self._learning_batch(episodes, *predict(episodes)))
        values, last_values = predict(episodes)
        batch = self._learning_batch(episodes, values, last_values)
        observations = self.policy.flatten(episodes.observations)
        device = observations.device
        actions = self._actions(episodes).to(device)
        advantages = torch.as_tensor(batch.advantages, dtype=torch.float32, device=device)
        with torch.no_grad():
            old_log_probs = self.policy(observations)[0].log_prob(actions)
        data = [observations, actions, advantages, old_log_probs]
        if overrides(self, VPG, "_compute_objective"):
            data.append(torch.as_tensor(episodes.rewards, dtype=torch.float32, device=device))
        return Rollout(episodes, batch.returns, values, observations, tuple(data))

    def _adapted(self, weights: Weights, rollout: Rollout) -> Weights:
        """Take an inner step; differentiable by the weights where gradients are kept."""
        second_order = torch.is_grad_enabled()
        with torch.enable_grad():
            loss = self._loss_of(self._acting(weights, rollout), *rollout.data)
            gradients = torch.autograd.grad(
                loss, list(weights.values()), create_graph=second_order, allow_unused=True
            )
        adapted = {
            name: weight if gradient is None else weight - self._inner_lr * gradient
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        }
        # Where no gradient is kept, a new one begins with these.
        return adapted if second_order else {k: w.requires_grad_() for k, w in adapted.items()}

    def _acting(self, weights: Weights, rollout: Rollout) -> Distribution:
        """Return what the policy does with some weights."""
        distribution: Distribution = functional_call(self.policy, weights, rollout.observations)[0]
        return distribution

    def _adapted_weights(self, rollouts: Sequence[Rollout]) -> Weights:
        """Return what theta becomes by all inner steps, of all rollouts but the last."""
        weights = self._theta()
        for rollout in rollouts[:-1]:
            weights = self._adapted(weights, rollout)
        return weights

    def _adapted_to(self, tasks: Sequence[list[Rollout]]) -> list[Distribution]:
        """Return what the policy does in each task after all inner steps, where it played last."""
        return [self._acting(self._adapted_weights(own), own[-1]) for own in tasks]

    def _meta_loss(self, tasks: Sequence[list[Rollout]]) -> torch.Tensor:
        """Compute the mean over tasks of L_i(theta_i), equation 4."""
        losses = [
            self._loss_of(distribution, *rollouts[-1].data)
            for distribution, rollouts in zip(self._adapted_to(tasks), tasks, strict=True)
        ]
        return torch.stack(losses).mean()

    def _meta_kl(self, old: Sequence[Distribution], tasks: Sequence[list[Rollout]]) -> torch.Tensor:
        """Compute the mean over tasks of KL(old || new), of what was adapted."""
        new = self._adapted_to(tasks)
        kls = [kl_divergence(p, q).mean() for p, q in zip(old, new, strict=True)]
        return torch.stack(kls).mean()

    def _meta_update(self, tasks: list[list[Rollout]]) -> dict[str, float]:
        self._log_before_update()
        with torch.no_grad():
            old = self._adapted_to(tasks)
            loss_before = self._meta_loss(tasks).item()
        self._move_theta(old, tasks)
        self._log_after_update()
        with torch.no_grad():
            entropies = [distribution.entropy().mean() for distribution in self._adapted_to(tasks)]
            return policy_metrics(
                loss_before=loss_before,
                loss_after=self._meta_loss(tasks).item(),
                kl=self._meta_kl(old, tasks).item(),
                entropy=torch.stack(entropies).mean().item(),
            )

    def _move_theta(self, old: list[Distribution], tasks: list[list[Rollout]]) -> None:
        """Take one step of the optimizer along the gradient through the inner steps."""
        self._policy_optimizer.zero_grad()
        self._meta_loss(tasks).backward()
        self._policy_optimizer.step()
        self._policy_optimizer.forget_gradients()

    def _record(self, itr: int, tasks: list[list[Rollout]], metrics: dict[str, float]) -> float:
        last = [rollouts[-1] for rollouts in tasks]
        returns = np.concatenate([rollout.returns for rollout in last])
        values = np.concatenate([rollout.values for rollout in last])
        after = EpisodeBatch.concatenate(*(rollout.episodes for rollout in last))
        before = EpisodeBatch.concatenate(*(rollouts[0].episodes for rollouts in tasks))
        for name, batch in (("Before", before), ("After", after)):
            mean = batch.rewards.sum() / len(batch)
            tabular.record(f"Adaptation/AverageReturn{name}", float(mean))
        return self._record_batch(itr, after, returns, values, metrics)

    def get_exploration_policy(self) -> StochasticPolicy:
        return copy.deepcopy(self.policy)

    def adapt_policy(
        self, exploration_policy: Any, exploration_episodes: EpisodeBatch
    ) -> StochasticPolicy:
        """Return a copy of a policy after one inner step on its episodes."""
        weights = dict(exploration_policy.named_parameters())
        with self._with_weights(weights), torch.no_grad():
            rollout = self._rollout(exploration_episodes)
            adapted = self._adapted(weights, rollout)
        policy: StochasticPolicy = copy.deepcopy(exploration_policy)
        set_weights(policy, adapted)
        return policy


@torch.no_grad()
def set_weights(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Write weights into a module's own, in place."""
    for name, parameter in module.named_parameters():
        parameter.copy_(weights[name])
