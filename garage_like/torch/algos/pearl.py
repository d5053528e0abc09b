"""PEARL: infer what the task is from few transitions of it, and act on the guess."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal, Unpack

import gymnasium
import numpy as np
import torch
from torch import nn

from garage_like.algos.learning_networks import check_tau
from garage_like.algos.pearl import BeliefLearner, BeliefOptions
from garage_like.algos.pearl import TaskMemory as TaskMemory  # older snapshots have it from here
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Environment, Sampler
from garage_like.replay_buffer.transitions import Transitions
from garage_like.sampler.pearl_worker import PEARLWorker as PEARLWorker
from garage_like.torch.algos.minibatch import make_minibatch
from garage_like.torch.algos.target_networks import TargetNetworks, target_of
from garage_like.torch.algos.torch_off_policy import values_of
from garage_like.torch.devices import Movable
from garage_like.torch.embeddings.mlp_encoder import MLPEncoder
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.context_conditioned_policy import ContextConditionedPolicy
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy


class PEARL(Movable, BeliefLearner):
    """Train an encoder of experience together with a soft actor-critic that acts on what it says.

    Rakelly et al. 2019, arXiv:1903.08254. The belief q(z | c) about a task is inferred from a
    context c of recent transitions; the critics' loss trains it, and a KL divergence from the prior
    holds it back. Everything else is learned from all transitions of a task, old ones too.
    Differs from the paper: the second Q-function begins with weights of its own.

    Args:
        inner_policy: acts on observations with a latent behind them, see `augment_env_spec`.
        qf: values such observations and actions.
        vf: values observations and a latent, see `get_env_spec`.
        latent_dim: numbers of a latent.
        encoder_hidden_sizes: units of each hidden layer of the encoder.
        policy_class: makes the policy of the encoder and inner_policy.
        encoder_class: makes the encoder.
        policy_lr: learning rate.
        qf_lr: learning rate.
        vf_lr: learning rate.
        context_lr: learning rate of the encoder.
        policy_mean_reg_coeff: weight of squared means of actions before squashing.
        policy_std_reg_coeff: weight of squared logarithms of standard deviations.
        policy_pre_activation_coeff: weight of squared actions before squashing.
        soft_target_tau: how far the target moves to the value function at each gradient step.
        kl_lambda: weight of the KL divergence.
        optimizer_class: of all optimizers.
        use_information_bottleneck: believe a distribution over latents; else a latent.
        use_next_obs_in_context: transitions of a context hold the next observation, too.
        **options: arguments of BeliefLearner.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if `env` holds something else.
    """

    policy: ContextConditionedPolicy

    def __init__(
        self,
        env: Sequence[Any],
        inner_policy: TanhGaussianMLPPolicy,
        qf: nn.Module,
        vf: nn.Module,
        sampler: Sampler,
        *,
        num_train_tasks: int,
        num_test_tasks: int,
        latent_dim: int,
        encoder_hidden_sizes: Sequence[int],
        test_env_sampler: Any,
        policy_class: type[ContextConditionedPolicy] = ContextConditionedPolicy,
        encoder_class: type[MLPEncoder] = MLPEncoder,
        policy_lr: float = 3e-4,
        qf_lr: float = 3e-4,
        vf_lr: float = 3e-4,
        context_lr: float = 3e-4,
        policy_mean_reg_coeff: float = 1e-3,
        policy_std_reg_coeff: float = 1e-3,
        policy_pre_activation_coeff: float = 0.0,
        soft_target_tau: float = 0.005,
        kl_lambda: float = 0.1,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        use_information_bottleneck: bool = True,
        use_next_obs_in_context: bool = False,
        **options: Unpack[BeliefOptions],
    ) -> None:
        check_tau("PEARL", soft_target_tau)
        super().__init__(
            env,
            sampler,
            num_train_tasks=num_train_tasks,
            num_test_tasks=num_test_tasks,
            test_env_sampler=test_env_sampler,
            **options,
        )
        encoder_spec = self.get_env_spec(self._env_spec, latent_dim, "encoder")
        extra = self._env_spec.observation_dim if use_next_obs_in_context else 0
        encoder = encoder_class(
            input_dim=encoder_spec.observation_dim + extra,
            output_dim=encoder_spec.action_dim if use_information_bottleneck else latent_dim,
            hidden_sizes=encoder_hidden_sizes,
        )
        self.policy = policy_class(
            latent_dim=latent_dim,
            context_encoder=encoder,
            policy=inner_policy,
            use_information_bottleneck=use_information_bottleneck,
            use_next_obs=use_next_obs_in_context,
        )
        self._inner_policy = inner_policy
        self._qf1, self._qf2 = qf, _with_other_weights(qf)
        self._vf, self._target_vf = vf, target_of(vf)
        self._targets = TargetNetworks((self._target_vf, self._vf))

        def optimizer(learning_rate: float, *modules: nn.Module) -> OptimizerWrapper:
            return OptimizerWrapper(
                (optimizer_class, {"lr": learning_rate}), nn.ModuleList(modules)
            )

        self._policy_optimizer = optimizer(policy_lr, inner_policy)
        self._qf_optimizer = optimizer(qf_lr, self._qf1, self._qf2)
        self._vf_optimizer = optimizer(vf_lr, vf)
        self._context_optimizer = optimizer(context_lr, encoder)
        self._policy_mean_reg_coeff = policy_mean_reg_coeff
        self._policy_std_reg_coeff = policy_std_reg_coeff
        self._policy_pre_activation_coeff = policy_pre_activation_coeff
        self._soft_target_tau = soft_target_tau
        self._kl_lambda = kl_lambda
        self._use_information_bottleneck = use_information_bottleneck

    @staticmethod
    def augment_env_spec(env_spec: Environment | EnvSpec, latent_dim: int) -> EnvSpec:
        """Return a spec whose observations have a latent behind them."""
        spec = _spec_of(env_spec)
        return EnvSpec(_numbers(spec.observation_dim + latent_dim), spec.action_space)

    @staticmethod
    def get_env_spec(
        env_spec: Environment | EnvSpec, latent_dim: int, module: Literal["encoder", "vf"]
    ) -> EnvSpec:
        """Return a spec that tells the inputs of a network.

        Args:
            env_spec: the environment, or its spec.
            latent_dim: numbers of a latent.
            module: 'encoder' maps transitions to means and variances; 'vf' values observations and
                latents, in the place of actions.
        """
        spec = _spec_of(env_spec)
        if module == "encoder":
            inputs = spec.observation_dim + spec.action_dim + 1
            return EnvSpec(_numbers(inputs), _numbers(2 * latent_dim))
        if module == "vf":
            return EnvSpec(_numbers(spec.observation_dim), _numbers(latent_dim))
        raise ValueError(f"PEARL.get_env_spec: module must be 'encoder' or 'vf', got {module!r}")

    def _update(self) -> dict[str, float]:
        tasks = self._rng.integers(len(self._updates), size=self._meta_batch_size).tolist()
        device = self.policy.z_means.device
        batch = make_minibatch(
            _joined([self._memories[task].sample_transitions(self._batch_size) for task in tasks]),
            self._env_spec,
            self._reward_scale,
            device,
        )
        wanted = self._embedding_mini_batch_size
        contexts = [
            self.policy.context_of(self._contexts[task].sample_transitions(wanted))
            for task in tasks
        ]
        means, variances = self.policy.posterior(torch.stack(contexts))
        latents = means + variances.sqrt() * self._noise(means.shape, device)
        latents = latents.repeat_interleave(self._batch_size, dim=0)
        seen = torch.cat([batch.observations, latents], dim=1)

        # Critics and encoder: (Q(s, a, z) - (r + gamma * V'(s', z)))^2, equation 2, and the KL.
        with torch.no_grad():
            following = values_of(self._target_vf, batch.next_observations, latents)
            targets = batch.rewards + self._discount * batch.continues * following
        q1, q2 = (values_of(qf, seen, batch.actions) for qf in (self._qf1, self._qf2))
        critic_loss = (q1 - targets).square().mean() + (q2 - targets).square().mean()
        divergence = torch.zeros((), device=device)
        if self._use_information_bottleneck:
            divergence = self.policy.compute_kl_div(means, variances).sum()
        self._step(
            critic_loss + self._kl_lambda * divergence, self._qf_optimizer, self._context_optimizer
        )

        seen, latents = seen.detach(), latents.detach()
        distribution = self._inner_policy(seen)[0]
        noise = self._noise(batch.actions.shape, device)
        actions, log_probs = distribution.rsample_with_log_prob(noise)
        values = torch.minimum(
            values_of(self._qf1, seen, actions), values_of(self._qf2, seen, actions)
        )
        value_targets = (values - log_probs).detach()
        values_now = values_of(self._vf, batch.observations, latents)
        value_loss = (values_now - value_targets).square().mean()
        self._step(value_loss, self._vf_optimizer)
        self._targets.update(self._soft_target_tau)

        before_squashing = distribution.mean_of_u + noise * distribution.log_std.exp()
        policy_loss = (
            (log_probs - values).mean()
            + self._policy_mean_reg_coeff * distribution.mean_of_u.square().mean()
            + self._policy_std_reg_coeff * distribution.log_std.square().mean()
            + self._policy_pre_activation_coeff * before_squashing.square().sum(1).mean()
        )
        self._step(policy_loss, self._policy_optimizer)
        return {
            "Loss/Policy": policy_loss.item(),
            "Loss/Critic": critic_loss.item(),
            "Loss/Value": value_loss.item(),
            "Belief/KL": divergence.item() / len(tasks),
            "policy/Entropy": -log_probs.mean().item(),
            "Q-network/Q1": q1.mean().item(),
            "Target/Mean": targets.mean().item(),
        }

    def _step(self, loss: torch.Tensor, *wrappers: OptimizerWrapper) -> None:
        """Move what optimizers move; gradients of all else are not formed."""
        for wrapper in wrappers:
            wrapper.zero_grad()
        moved = [
            parameter
            for wrapper in wrappers
            for group in wrapper.optimizer.param_groups
            for parameter in group["params"]
        ]
        loss.backward(inputs=moved)
        for wrapper in wrappers:
            wrapper.step()

    def _noise(self, shape: Sequence[int], device: torch.device) -> torch.Tensor:
        return torch.from_numpy(self._rng.standard_normal(tuple(shape), np.float32)).to(device)

    def _finish_steps(self) -> None:
        for wrapper in (
            self._policy_optimizer,
            self._qf_optimizer,
            self._vf_optimizer,
            self._context_optimizer,
        ):
            wrapper.forget_gradients()  # made again at the next step: a snapshot need not hold them

    def get_exploration_policy(self) -> ContextConditionedPolicy:
        """Return a copy of the policy that believes the prior."""
        policy = copy.deepcopy(self.policy)
        policy.reset_belief()
        return policy

    def adapt_policy(
        self, exploration_policy: Any, exploration_episodes: EpisodeBatch
    ) -> ContextConditionedPolicy:
        """Return a copy of a policy that believes what episodes tell."""
        policy: ContextConditionedPolicy = copy.deepcopy(exploration_policy)
        policy.adapt_to(exploration_episodes)
        return policy


def _spec_of(env: Environment | EnvSpec) -> EnvSpec:
    return env if isinstance(env, EnvSpec) else env.spec


def _numbers(dim: int) -> gymnasium.spaces.Box:
    return gymnasium.spaces.Box(-np.inf, np.inf, (dim,), np.float32)


def _joined(parts: Sequence[Transitions]) -> Transitions:
    """Join transitions of several tasks, one task after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _with_other_weights(module: nn.Module) -> nn.Module:
    """Return a copy of a network with weights drawn again, as those of our networks are."""
    other = copy.deepcopy(module)
    for layer in other.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return other
