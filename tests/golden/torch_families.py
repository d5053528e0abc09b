"""A small run of each algorithm in torch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from small_parts import HIDDEN, MEMORY, OFF_POLICY, explorer, fragments, grid, point

from garage_like.envs import MultiEnvWrapper, PointEnv
from garage_like.experiment import MetaEvaluator, SetTaskSampler
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.np.exploration_policies import AddGaussianNoise, AddOrnsteinUhlenbeckNoise
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import (
    A2C,
    AMP,
    BC,
    DDPG,
    DDQN,
    DQN,
    MAMLPPO,
    MAMLTRPO,
    MAMLVPG,
    MTSAC,
    PEARL,
    PPO,
    SAC,
    TD3,
    TQC,
    TRPO,
    VPG,
    DiscreteSAC,
)
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicCfCPolicy,
    DeterministicMLPPolicy,
    DiscreteQFArgmaxPolicy,
    GaussianLSTMPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import (
    ContinuousMLPQFunction,
    DiscreteMLPQFunction,
    QuantileMLPQFunction,
)
from garage_like.torch.value_functions import GaussianMLPValueFunction

Run = tuple[RLAlgorithm, Environment]


def vpg() -> Run:
    return _on_policy(VPG, grid(), CategoricalMLPPolicy)


def ppo() -> Run:
    return _on_policy(PPO, point(), GaussianMLPPolicy)


def ppo_lstm() -> Run:
    env = point()
    policy = GaussianLSTMPolicy(env.spec, hidden_dim=4)
    baseline = LinearFeatureBaseline(env.spec)
    return PPO(env.spec, policy, baseline, fragments(policy, env)), env


def a2c() -> Run:
    return _on_policy(A2C, grid(), CategoricalMLPPolicy)


def amp() -> Run:
    env = point()
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    motion = [np.linspace([0.0, 0.0], [1.0, 1.0], 12)]
    sampler, baseline = fragments(policy, env), LinearFeatureBaseline(env.spec)
    style: dict[str, Any] = {"motion": motion, "features": (0, 1)}
    return AMP(env.spec, policy, baseline, sampler, discriminator_hidden_sizes=(4,), **style), env


def trpo() -> Run:
    return _on_policy(TRPO, point(), GaussianMLPPolicy)


def _on_policy(cls: Any, env: Environment, policy_class: Any) -> Run:
    policy = policy_class(env.spec, hidden_sizes=HIDDEN)
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=HIDDEN)
    return cls(env.spec, policy, value_function, fragments(policy, env)), env


def ddqn() -> Run:
    return dqn(DDQN)


def discrete_sac() -> Run:
    env = grid()
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    qfs = [DiscreteMLPQFunction(env.spec, HIDDEN) for _ in range(2)]
    return DiscreteSAC(env.spec, policy, *qfs, PathBuffer(MEMORY, env.spec), **OFF_POLICY), env


def dqn(cls: Any = DQN) -> Run:
    env = grid()
    qf = DiscreteMLPQFunction(env.spec, HIDDEN)
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    exploration = explorer(env, policy)
    memory = PrioritizedReplayBuffer(MEMORY, env.spec)
    algo = cls(env.spec, policy, qf, memory, exploration_policy=exploration, **OFF_POLICY)
    return algo, env


def ddpg() -> Run:
    env = point()
    policy = DeterministicMLPPolicy(env.spec, HIDDEN)
    qf = ContinuousMLPQFunction(env.spec, HIDDEN)
    noise = AddOrnsteinUhlenbeckNoise(env.spec, policy)
    memory = PathBuffer(MEMORY, env.spec)
    return DDPG(env.spec, policy, qf, memory, exploration_policy=noise, **OFF_POLICY), env


def liquid_ddpg() -> Run:
    env = point()
    policy = DeterministicCfCPolicy(env.spec, hidden_dim=6, history_length=3)
    noise = AddOrnsteinUhlenbeckNoise(env.spec, policy)
    qf, memory = ContinuousMLPQFunction(env.spec, HIDDEN), PathBuffer(MEMORY, env.spec)
    return DDPG(env.spec, policy, qf, memory, exploration_policy=noise, **OFF_POLICY), env


def td3() -> Run:
    env = point()
    policy = DeterministicMLPPolicy(env.spec, HIDDEN)
    noise = AddGaussianNoise(env.spec, policy, 200, 0.5, 0.1)
    memory = PathBuffer(MEMORY, env.spec)
    algo = TD3(env.spec, policy, *_two(env), memory, exploration_policy=noise, **OFF_POLICY)
    return algo, env


def sac() -> Run:
    env = point()
    policy = TanhGaussianMLPPolicy(env.spec, HIDDEN)
    memory = PathBuffer(MEMORY, env.spec)
    return SAC(env.spec, policy, *_two(env), memory, **OFF_POLICY), env


def mtsac() -> Run:
    env = MultiEnvWrapper([PointEnv(goal, max_episode_length=8) for goal in ((1, 0), (-1, 0))])
    policy = TanhGaussianMLPPolicy(env.spec, HIDDEN)
    memory, sampler = PathBuffer(MEMORY, env.spec), fragments(policy, env)
    return MTSAC(env.spec, policy, *_two(env), memory, sampler, num_tasks=2, **OFF_POLICY), env


def sac_in_rows() -> Run:
    """Make SAC again: later snapshots tell slots and what generators are seeded by otherwise."""
    return sac()


def tqc() -> Run:
    env = point()
    policy = TanhGaussianMLPPolicy(env.spec, HIDDEN)
    quantiles = [QuantileMLPQFunction(env.spec, 5, HIDDEN) for _ in range(2)]
    memory = PathBuffer(MEMORY, env.spec)
    return TQC(env.spec, policy, quantiles, memory, **OFF_POLICY), env


def bc() -> Run:
    env = point()
    expert = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    learner = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    sampler = fragments(expert, env)
    options: dict[str, Any] = {"batch_size": 8, "minibatches_per_epoch": 2}
    return BC(env.spec, learner, source=expert, sampler=sampler, **options), env


def maml_trpo(cls: Any = MAMLTRPO) -> Run:
    env = point()
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    tasks = SetTaskSampler(partial(PointEnv, max_episode_length=15))
    evaluator = MetaEvaluator(test_task_sampler=tasks, n_test_tasks=2, n_exploration_eps=2)
    baseline = LinearFeatureBaseline(env.spec)
    sampler = LocalSampler(policy, env)
    options: dict[str, Any] = {"meta_batch_size": 2, "meta_evaluator": evaluator}
    return cls(env, policy, baseline, sampler, tasks, **options), env


def maml_ppo() -> Run:
    return maml_trpo(MAMLPPO)


def maml_vpg() -> Run:
    return maml_trpo(MAMLVPG)


def pearl() -> Run:
    tasks = SetTaskSampler(partial(PointEnv, max_episode_length=15)).sample(2)
    env = tasks[0]()
    spec = PEARL.augment_env_spec(env, 2)
    algo = PEARL(
        tasks,
        TanhGaussianMLPPolicy(spec, HIDDEN),
        ContinuousMLPQFunction(spec, HIDDEN),
        ContinuousMLPQFunction(PEARL.get_env_spec(env, 2, "vf"), HIDDEN),
        LocalSampler(None, env),
        num_train_tasks=2,
        num_test_tasks=1,
        latent_dim=2,
        encoder_hidden_sizes=HIDDEN,
        test_env_sampler=None,
        meta_batch_size=2,
        num_steps_per_epoch=2,
        num_initial_steps=15,
        num_tasks_sample=1,
        num_steps_prior=15,
        num_extra_rl_steps_posterior=15,
        batch_size=4,
        embedding_batch_size=4,
        embedding_mini_batch_size=4,
        replay_buffer_size=MEMORY,
    )
    return algo, env


def _two(env: Environment) -> list[ContinuousMLPQFunction]:
    return [ContinuousMLPQFunction(env.spec, HIDDEN) for _ in range(2)]
