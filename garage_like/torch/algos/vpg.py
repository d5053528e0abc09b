"""VPG: vanilla policy gradient, and the base of PPO and TRPO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

import numpy as np
import torch
from torch import nn
from torch.distributions import Distribution, kl_divergence

from garage_like.algos.on_policy import (
    OnPolicyAlgorithm,
    OnPolicyBatch,
    OnPolicyOptions,
    policy_metrics,
)
from garage_like.configuration.extension_points import overrides
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Metrics, Sampler
from garage_like.torch.devices import Movable
from garage_like.torch.kernels.on_policy import distribution_of_many, policy_gradient
from garage_like.torch.kernels.policy_gradient import PolicyGradient
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy
from garage_like.torch.value_functions.value_function import default_optimizer


class VPG(Movable, OnPolicyAlgorithm):
    """Follow the gradient of expected return, one batch at a time.

    REINFORCE with a baseline (Williams 1992) and generalized advantage estimates (Schulman et al.
    2016, arXiv:1506.02438).

    Args:
        value_function: a value function in torch, or any other Baseline.
        policy_optimizer: None for Adam, one step on the whole batch.
        vf_optimizer: None for Adam, 10 passes in minibatches of 64; only for one in torch.

    Raises:
        ValueError: if an argument is out of range, or two contradict each other.
        TypeError: if the value function or an optimizer is of the wrong kind.
    """

    policy: StochasticPolicy

    REPLACED: ClassVar[Mapping[str, str]] = {
        "_train": "_update(batch)",
        "_train_policy(obs, actions, rewards, advantages)": (
            "_train_policy(old_distribution, observations, actions, advantages, old_log_probs)"
        ),
        "_train_value_function(obs, returns)": "_train_value_function(batch)",
        "_compute_loss": "_loss(observations, actions, advantages, old_log_probs)",
        "_compute_loss_with_adv": "_loss(observations, actions, advantages, old_log_probs)",
        "_compute_advantage": "_learning_batch(episodes, values, last_values)",
        "_compute_kl_constraint": "_mean_kl(old_distribution, observations) of TRPO",
        "_compute_policy_entropy": "_entropy(distribution)",
        "_get_baselines": "the value function's predict(episodes)",
        "_optimize_policy": "_update(batch)",
    }

    # While a subclass computes the objective: the distribution, and the old log-probabilities.
    _at_hand: tuple[Distribution, torch.Tensor] | None = None

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None = None,
        policy_optimizer: OptimizerWrapper | None = None,
        vf_optimizer: OptimizerWrapper | None = None,
        *,
        gae_lambda: float = 1.0,
        **options: Unpack[OnPolicyOptions],
    ) -> None:
        parts = (env_spec, policy, value_function, sampler)
        super().__init__(*parts, gae_lambda=gae_lambda, **options)
        is_torch = isinstance(value_function, nn.Module)
        self._check_optimizers(policy_optimizer, vf_optimizer, is_torch)
        self._policy_optimizer = policy_optimizer or self._default_policy_optimizer(policy)
        if vf_optimizer is None and isinstance(value_function, nn.Module):
            vf_optimizer = self._default_vf_optimizer(value_function)
        self._vf_optimizer = vf_optimizer

    @staticmethod
    def _default_policy_optimizer(policy: StochasticPolicy, /) -> OptimizerWrapper:
        return OptimizerWrapper(torch.optim.Adam, policy)

    @staticmethod
    def _default_vf_optimizer(module: nn.Module, /) -> OptimizerWrapper:
        return default_optimizer(module)

    def _update(self, batch: OnPolicyBatch) -> Metrics:
        observations = self.policy.inputs(batch.episodes)
        actions = self._actions(batch.episodes).to(observations.device)
        advantages = torch.as_tensor(
            batch.advantages, dtype=torch.float32, device=observations.device
        )
        self._log_before_update()
        with torch.no_grad():
            old_distribution = self._distribution(observations)
            old_log_probs = old_distribution.log_prob(actions)
            data = [observations, actions, advantages, old_log_probs]
            if overrides(self, VPG, "_compute_objective"):
                rewards = torch.as_tensor(batch.episodes.rewards, dtype=torch.float32)
                data.append(rewards.to(observations.device))
            loss_before = self._loss_now(old_distribution, *data)

        self._train_policy(old_distribution, *data)
        self._log_after_update()
        self._train_value_function(batch)

        with torch.no_grad():
            distribution = self._distribution(observations)
            return policy_metrics(
                loss_before=loss_before,
                loss_after=self._loss_now(distribution, *data),
                kl=kl_divergence(old_distribution, distribution).mean().item(),
                entropy=distribution.entropy().mean().item(),
            )

    def _distribution(self, observations: torch.Tensor) -> Distribution:
        """Return what the policy does now; without autograd, so under `no_grad` only."""
        quick = self._policy_optimizer.fast_path
        found = distribution_of_many(self.policy, observations) if quick else None
        return found or self.policy(observations)[0]

    def _loss_now(
        self, distribution: Distribution, observations: torch.Tensor, *data: torch.Tensor
    ) -> float:
        """Return the loss, given what the policy does now."""
        if overrides(self, VPG, "_loss", "_compute_objective"):
            return self._loss(observations, *data).item()
        return self._loss_of(distribution, observations, *data).item()

    def _train_policy(
        self,
        old_distribution: Distribution,
        observations: torch.Tensor,
        actions: torch.Tensor,
        advantages: torch.Tensor,
        old_log_probs: torch.Tensor,
        *rewards: torch.Tensor,
    ) -> None:
        """Move the policy; TRPO needs the whole old distribution for it."""
        self._policy_optimizer.minimize(
            self._loss,
            observations,
            actions,
            advantages,
            old_log_probs,
            *rewards,
            gradient=self._analytic_gradient(),
        )

    def _analytic_gradient(self) -> PolicyGradient | None:
        """Return what differentiates `_loss` without autograd, or None."""
        return self._gradient_unless_replaced(VPG, None)

    def _gradient_unless_replaced(
        self, cls: type[VPG], clip_range: float | None
    ) -> PolicyGradient | None:
        """Differentiate what a class of the framework computes, if it still does."""
        losses = ("_loss", "_objective", "_compute_objective", "_entropy")
        if self._use_softplus_entropy or overrides(self, cls, *losses):
            return None
        counts = self._entropy_method == "regularized" and not self._stop_entropy_gradient
        weight = self._policy_ent_coeff if counts else 0.0
        return policy_gradient(self.policy, self._policy_optimizer, clip_range, weight)

    def _learning_rates(self) -> dict[str, float]:
        optimizers = {"Policy": self._policy_optimizer, "Value": self._vf_optimizer}
        groups = {name: w.optimizer.param_groups[0] for name, w in optimizers.items() if w}
        return {
            f"Learning/{name}LearningRate": float(group["lr"])
            for name, group in groups.items()
            if "lr" in group
        }

    def _loss(
        self,
        observations: torch.Tensor,
        actions: torch.Tensor,
        advantages: torch.Tensor,
        old_log_probs: torch.Tensor,
        *rewards: torch.Tensor,
    ) -> torch.Tensor:
        """Compute -mean(objective + coefficient * entropy).

        Args:
            observations: shape (N, D), flat; or the recurrent policy's inputs, of N steps.
            actions: shape (N,) if discrete, else (N, K).
            advantages: shape (N,).
            old_log_probs: shape (N,), under the policy that sampled.
            *rewards: shape (N,), where a subclass computes the objective from them.
        """
        distribution = self.policy(observations)[0]
        data = (observations, actions, advantages, old_log_probs, *rewards)
        return self._loss_of(distribution, *data)

    def _loss_of(
        self,
        distribution: Distribution,
        observations: torch.Tensor,
        actions: torch.Tensor,
        advantages: torch.Tensor,
        old_log_probs: torch.Tensor,
        *rewards: torch.Tensor,
    ) -> torch.Tensor:
        """Compute `_loss`, given what the policy does."""
        if rewards:
            self._at_hand = distribution, old_log_probs
            objective = self._compute_objective(advantages, observations, actions, *rewards)
            del self._at_hand
        else:
            objective = self._objective(distribution.log_prob(actions), old_log_probs, advantages)
        if self._entropy_method == "regularized":
            objective = objective + self._policy_ent_coeff * self._entropy(distribution)
        return -objective.mean()

    def _objective(
        self, log_probs: torch.Tensor, old_log_probs: torch.Tensor, advantages: torch.Tensor
    ) -> torch.Tensor:
        """Compute log pi(a | s) * A, whose gradient is the policy gradient; all of shape (N,)."""
        return log_probs * advantages

    def _compute_objective(
        self,
        advantages: torch.Tensor,
        obs: torch.Tensor,
        actions: torch.Tensor,
        rewards: torch.Tensor,
    ) -> torch.Tensor:
        """Compute what is made large at each env step, shape (N,); for subclasses, as in garage.

        Args:
            advantages: shape (N,).
            obs: shape (N, D), flat.
            actions: shape (N,) if discrete, else (N, K).
            rewards: shape (N,).
        """
        assert self._at_hand is not None, "called by _loss alone"
        distribution, old_log_probs = self._at_hand
        return self._objective(distribution.log_prob(actions), old_log_probs, advantages)

    def _entropy(self, distribution: Distribution) -> torch.Tensor:
        """Return the entropy, shape (N,), as the options ask."""
        entropy = distribution.entropy()
        if self._stop_entropy_gradient:
            entropy = entropy.detach()
        return nn.functional.softplus(entropy) if self._use_softplus_entropy else entropy

    def _entropies(self, episodes: EpisodeBatch) -> np.ndarray:
        with torch.no_grad():
            distribution = self.policy(self.policy.inputs(episodes))[0]
            entropies: np.ndarray = self._entropy(distribution).cpu().numpy()
        return entropies

    def _actions(self, episodes: EpisodeBatch) -> torch.Tensor:
        """Return actions, shape (S,), int64, if discrete, else (S, K), float32."""
        if self._env_spec.is_discrete:
            return torch.as_tensor(episodes.actions, dtype=torch.int64)
        actions = torch.as_tensor(episodes.actions, dtype=torch.float32)
        return actions.reshape(len(actions), -1)

    def _check_optimizers(
        self,
        policy_optimizer: OptimizerWrapper | None,
        vf_optimizer: OptimizerWrapper | None,
        is_torch: bool,
    ) -> None:
        owner = type(self).__name__
        for name, optimizer in (
            ("policy_optimizer", policy_optimizer),
            ("vf_optimizer", vf_optimizer),
        ):
            if optimizer is not None and not isinstance(optimizer, OptimizerWrapper):
                raise TypeError(
                    f"{owner}: {name} must be an OptimizerWrapper, such as OptimizerWrapper("
                    f"(torch.optim.Adam, dict(lr=1e-3)), module), got {optimizer!r}"
                )
        if vf_optimizer is not None and not is_torch:
            raise ValueError(
                f"{owner}: {type(self._value_function).__name__} fits itself; "
                "leave vf_optimizer out"
            )
