"""PEARL: infer what the task is from few transitions of it, and act on the guess."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import gymnasium
import numpy as np
import torch
from torch import nn

from garage_like import seeding
from garage_like.algos.epoch_averages import EpochAverages
from garage_like.algos.learning_networks import check_tau
from garage_like.algos.meta_rl_algorithm import META_METRICS, MetaRLAlgorithm
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.evaluation import log_performance
from garage_like.interfaces import Environment, Sampler
from garage_like.logging import tabular
from garage_like.logging.steps import log_step
from garage_like.replay_buffer import PathBuffer
from garage_like.replay_buffer.transitions import Transitions
from garage_like.sampler.meta_evaluator import MetaEvaluator
from garage_like.sampler.pearl_worker import PEARLWorker as PEARLWorker
from garage_like.torch.algos.minibatch import make_minibatch
from garage_like.torch.algos.target_networks import TargetNetworks, target_of
from garage_like.torch.algos.torch_off_policy import values_of
from garage_like.torch.devices import Movable
from garage_like.torch.embeddings.mlp_encoder import MLPEncoder
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.context_conditioned_policy import ContextConditionedPolicy
from garage_like.torch.policies.tanh_gaussian_mlp_policy import TanhGaussianMLPPolicy

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


class PEARL(Movable, MetaRLAlgorithm):
    """Train an encoder of experience together with a soft actor-critic that acts on what it says.

    Rakelly et al. 2019, arXiv:1903.08254. The belief q(z | c) about a task is inferred from a
    context c of recent transitions; the critics' loss trains it, and a KL divergence from the prior
    holds it back. Everything else is learned from all transitions of a task, old ones too.
    Differs from the paper: the second Q-function begins with weights of its own.

    Args:
        env: what turns an environment to each training task, as
            `SetTaskSampler(PointEnv).sample(num_train_tasks)` returns them.
        inner_policy: acts on observations with a latent behind them, see `augment_env_spec`.
        qf: values such observations and actions.
        vf: values observations and a latent, see `get_env_spec`.
        sampler: plays whole episodes, with one worker.
        num_train_tasks: how many of `env` are used.
        num_test_tasks: tasks of an evaluation.
        latent_dim: numbers of a latent.
        encoder_hidden_sizes: units of each hidden layer of the encoder.
        test_env_sampler: draws tasks for evaluation; None evaluates nothing.
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
        _check(env, counts, discount)
        check_tau("PEARL", soft_target_tau)
        self._updates = list(env)[:num_train_tasks]
        self._env_spec: EnvSpec = self._updates[0]().spec
        self._sampler = sampler
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
            self._averages.add(self._update())
            self._gradient_steps += 1
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
                self._memories[task].add_episode_batch(episodes)
                if tells:
                    self._contexts[task].add_episode_batch(episodes)
                played.append(episodes)
                num_steps -= episodes.num_steps
        return played

    def _update(self) -> dict[str, float]:
        """Take one gradient step of everything, on a batch of tasks."""
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

    def _record(self, itr: int, episodes: EpisodeBatch) -> float:
        for wrapper in (
            self._policy_optimizer,
            self._qf_optimizer,
            self._vf_optimizer,
            self._context_optimizer,
        ):
            wrapper.forget_gradients()  # made again at the next step: a snapshot need not hold them
        metrics = {
            **self._averages.take(),
            "ReplayBuffer/Size": sum(memory.n_transitions_stored for memory in self._memories),
            "Learning/GradientSteps": self._gradient_steps,
        }
        for key, value in metrics.items():
            tabular.record(key, value)
        return float(np.mean(log_performance(itr, episodes, self._discount)))

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


def _check(env: Any, counts: Mapping[str, int], discount: float) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"PEARL: {name} must be at least 1, got {count!r}")
    if not 0.0 <= discount <= 1.0:
        raise ValueError(f"PEARL: discount must be in [0, 1], got {discount!r}")
    updates = list(env) if isinstance(env, Sequence) else []
    if not updates or not all(callable(update) for update in updates):
        raise TypeError(
            "PEARL: env must be a list of what turns an environment to each training task, such as "
            f"SetTaskSampler(PointEnv).sample(num_train_tasks), got {env!r}"
        )
    if len(updates) < counts["num_train_tasks"]:
        raise ValueError(
            f"PEARL: expected num_train_tasks={counts['num_train_tasks']} tasks in env, got "
            f"{len(updates)}"
        )


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
