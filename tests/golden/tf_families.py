"""A small run of each algorithm in TensorFlow."""

from __future__ import annotations

from typing import Any

from keras_policy import KerasPolicy
from small_parts import HIDDEN, MEMORY, OFF_POLICY, explorer, fragments, grid, point

from garage_like.envs import MultiEnvWrapper, PointEnv, RL2Env
from garage_like.experiment.task_sampler import SetTaskSampler
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.np.exploration_policies import AddGaussianNoise, AddOrnsteinUhlenbeckNoise
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler, RL2Worker
from garage_like.tf.algos import (
    DDPG,
    DDQN,
    DQN,
    ERWR,
    NPO,
    PPO,
    REPS,
    RL2PPO,
    RL2TRPO,
    TD3,
    TENPO,
    TEPPO,
    TNPG,
    TRPO,
    VPG,
)
from garage_like.tf.baselines import GaussianMLPBaseline
from garage_like.tf.embeddings import GaussianMLPEncoder
from garage_like.tf.policies import (
    CategoricalMLPPolicy,
    ContinuousMLPPolicy,
    DiscreteQFArgmaxPolicy,
    GaussianGRUPolicy,
    GaussianLSTMPolicy,
    GaussianMLPPolicy,
    GaussianMLPTaskEmbeddingPolicy,
)
from garage_like.tf.q_functions import ContinuousMLPQFunction, DiscreteMLPQFunction

Run = tuple[RLAlgorithm, Environment]


def ppo() -> Run:
    return _on_policy(PPO, point(), GaussianMLPPolicy)


def npo() -> Run:
    env = point()
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    fitted: dict[str, Any] = {"use_trust_region": True, "adaptive_std": True}
    scaled = {"normalize_inputs": True, "normalize_outputs": True}
    baseline = GaussianMLPBaseline(env.spec, hidden_sizes=HIDDEN, **fitted, **scaled)
    return NPO(env.spec, policy, baseline, fragments(policy, env)), env


def trpo() -> Run:
    return _on_policy(TRPO, grid(), CategoricalMLPPolicy)


def tnpg() -> Run:
    return _on_policy(TNPG, grid(), CategoricalMLPPolicy)


def erwr() -> Run:
    return _on_policy(ERWR, point(), GaussianMLPPolicy)


def _on_policy(cls: Any, env: Environment, policy_class: Any) -> Run:
    policy = policy_class(env.spec, hidden_sizes=HIDDEN)
    baseline = GaussianMLPBaseline(env.spec, hidden_sizes=HIDDEN)
    return cls(env.spec, policy, baseline, fragments(policy, env)), env


def trpo_lstm() -> Run:
    env = point()
    policy = GaussianLSTMPolicy(env.spec, hidden_dim=4)
    return TRPO(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env)), env


def vpg_keras() -> Run:
    env = grid()
    policy = KerasPolicy(env.spec)
    return VPG(env.spec, policy, LinearFeatureBaseline(env.spec), fragments(policy, env)), env


def reps() -> Run:
    env = point()
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    return REPS(env.spec, policy, sampler=fragments(policy, env)), env


def rl2_trpo() -> Run:
    return rl2_ppo(RL2TRPO)


def rl2_ppo(cls: Any = RL2PPO) -> Run:
    env = RL2Env(PointEnv(max_episode_length=6))
    policy = GaussianGRUPolicy(env.spec, hidden_dim=4)
    sampler = LocalSampler(policy, env, n_workers=2, worker_class=RL2Worker)
    tasks = SetTaskSampler(PointEnv)
    baseline = LinearFeatureBaseline(env.spec)
    algo = cls(env.spec, policy, baseline, sampler, task_sampler=tasks, meta_batch_size=2)
    return algo, env


def te_npo() -> Run:
    return te_ppo(TENPO)


def te_ppo(cls: Any = TEPPO) -> Run:
    env = MultiEnvWrapper([PointEnv(goal, max_episode_length=8) for goal in ((1, 0), (-1, 0))])
    encoder = GaussianMLPEncoder(TEPPO.get_encoder_spec(env.task_space, 2), hidden_sizes=HIDDEN)
    inferred = TEPPO.get_infer_spec(env.spec, 2, 3, num_tasks=2)
    sizes = {"hidden_sizes": (2,), "std_hidden_sizes": (2,)}
    inference = GaussianMLPEncoder(inferred, adaptive_std=True, **sizes)
    policy = GaussianMLPTaskEmbeddingPolicy(env.spec, encoder, hidden_sizes=HIDDEN)
    baseline = LinearFeatureBaseline(env.spec)
    return cls(env.spec, policy, baseline, LocalSampler(policy, env), inference=inference), env


def ddqn() -> Run:
    return dqn(DDQN)


def dqn(cls: Any = DQN) -> Run:
    env = grid()
    qf = DiscreteMLPQFunction(env.spec, HIDDEN)
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    exploration = explorer(env, policy)
    memory = PathBuffer(MEMORY, env.spec)
    algo = cls(env.spec, policy, qf, memory, exploration_policy=exploration, **OFF_POLICY)
    return algo, env


def ddpg() -> Run:
    env = point()
    policy = ContinuousMLPPolicy(env.spec, HIDDEN)
    qf = ContinuousMLPQFunction(env.spec, HIDDEN)
    noise = AddOrnsteinUhlenbeckNoise(env.spec, policy)
    memory = PathBuffer(MEMORY, env.spec)
    return DDPG(env.spec, policy, qf, memory, exploration_policy=noise, **OFF_POLICY), env


def td3() -> Run:
    env = point()
    policy = ContinuousMLPPolicy(env.spec, HIDDEN)
    qfs = [ContinuousMLPQFunction(env.spec, HIDDEN) for _ in range(2)]
    noise = AddGaussianNoise(env.spec, policy, 200, 0.5, 0.1)
    memory = PathBuffer(MEMORY, env.spec)
    return TD3(env.spec, policy, *qfs, memory, exploration_policy=noise, **OFF_POLICY), env
