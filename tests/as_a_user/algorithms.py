"""Each algorithm as the documentation makes it: defaults alone, but for what keeps it small."""

import importlib
from typing import Any

import numpy as np

from garage_like.envs import GymEnv, PointEnv, RL2Env
from garage_like.experiment import SetTaskSampler
from garage_like.interfaces import RLAlgorithm
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
    EpsilonGreedyPolicy,
)
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import FragmentWorker, LocalSampler, RL2Worker

HIDDEN = (4,)
SMALL: dict[str, Any] = {
    "min_buffer_size": 40,
    "buffer_batch_size": 8,
    "gradient_steps_per_itr": 3,
    "num_evaluation_episodes": 1,
}
OFF_POLICY = ("DQN", "DDQN", "DDPG", "TD3", "SAC", "DiscreteSAC", "TQC", "MTSAC")
Made = tuple[RLAlgorithm, Any]


def make(backend: str, name: str) -> Made:
    """Return an algorithm and its environment."""
    if backend == "jax":
        return in_jax(name)
    if name in OFF_POLICY:
        return off_policy(backend, name)
    if name in ("QLearning", "SARSA"):
        return on_a_table(name)
    if name.startswith("MAML"):
        return with_meta_gradients(name)
    if name == "PEARL":
        return with_beliefs()
    if name.startswith("RL2"):
        return over_trials(name)
    if name in ("TENPO", "TEPPO"):
        return with_skills(name)
    if name == "AMP":
        return with_style()
    return cloning() if name == "BC" else on_policy(backend, name)


def room(backend: str, name: str) -> Any:
    """Return a module of a backend: its algorithms, policies and so on."""
    return importlib.import_module(f"garage_like.{backend}.{name}")


def on_policy(backend: str, name: str) -> Made:
    env = GymEnv("CartPole-v1", max_episode_length=20)
    algos = room(backend, "algos")
    policy = room(backend, "policies").CategoricalMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    sampler = LocalSampler(policy, env)
    if name in ("CEM", "CMAES"):
        best = {"best_frac": 0.5} if name == "CEM" else {}
        return getattr(algos, name)(env.spec, policy, sampler, n_samples=2, **best), env
    values: Any = LinearFeatureBaseline(env.spec)
    if backend == "torch":
        functions = room("torch", "value_functions")
        values = functions.GaussianMLPValueFunction(env.spec, hidden_sizes=HIDDEN)
    if name == "REPS":
        return algos.REPS(env.spec, policy), env
    if name == "VPG":  # the sampler by default
        return algos.VPG(env.spec, policy, values), env
    return getattr(algos, name)(env.spec, policy, values, sampler), env


def off_policy(backend: str, name: str) -> Made:
    """Leave the sampler out, as the documentation does."""
    is_discrete = name in ("DQN", "DDQN", "DiscreteSAC")
    env = GymEnv("CartPole-v1" if is_discrete else "Pendulum-v1", max_episode_length=20)
    policies, q_functions = room(backend, "policies"), room(backend, "q_functions")
    spec, cls, noise = env.spec, getattr(room(backend, "algos"), name), {}
    buffer = PathBuffer(capacity_in_transitions=90, env_spec=spec)
    if name in ("DQN", "DDQN"):
        qfs = [q_functions.DiscreteMLPQFunction(spec, hidden_sizes=HIDDEN)]
        policy = policies.DiscreteQFArgmaxPolicy(qfs[0], spec)
        noise = EpsilonGreedyPolicy(spec, policy, total_timesteps=100)
    elif name == "DiscreteSAC":
        policy = policies.CategoricalMLPPolicy(spec, hidden_sizes=HIDDEN)
        qfs = [q_functions.DiscreteMLPQFunction(spec, hidden_sizes=HIDDEN) for _ in range(2)]
    elif name == "TQC":
        policy = policies.TanhGaussianMLPPolicy(spec, hidden_sizes=HIDDEN)
        quantiles = [q_functions.QuantileMLPQFunction(spec, 5, HIDDEN) for _ in range(2)]
        return cls(spec, policy, quantiles, buffer, **SMALL), env
    else:
        count = 1 if name == "DDPG" else 2
        qfs = [q_functions.ContinuousMLPQFunction(spec, hidden_sizes=HIDDEN) for _ in range(count)]
        if name in ("SAC", "MTSAC"):
            policy = policies.TanhGaussianMLPPolicy(spec, hidden_sizes=HIDDEN)
            tasks = {"num_tasks": 2, "sampler": None} if name == "MTSAC" else {}
            return cls(spec, policy, *qfs, buffer, **tasks, **SMALL), env
        kind = "DeterministicMLPPolicy" if backend == "torch" else "ContinuousMLPPolicy"
        policy = getattr(policies, kind)(spec, hidden_sizes=HIDDEN)
        if name == "DDPG":
            noise = AddOrnsteinUhlenbeckNoise(spec, policy)
        else:
            noise = AddGaussianNoise(spec, policy, total_timesteps=100)
    exploring = {"exploration_policy": noise} if noise else {}
    return cls(spec, policy, *qfs, buffer, **exploring, **SMALL), env


def on_a_table(name: str) -> Made:
    from garage_like.np.policies import TabularArgmaxPolicy
    from garage_like.np.q_functions import TabularQFunction

    env = GymEnv("FrozenLake-v1", max_episode_length=20)
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    explorer = EpsilonGreedyPolicy(env.spec, policy, total_timesteps=120)
    worker = {"worker_class": FragmentWorker, "worker_args": {"n_envs": 1}}
    sampler = LocalSampler(explorer, env, **worker)
    cls = getattr(room("np", "algos"), name)
    return cls(env.spec, policy, qf, sampler, exploration_policy=explorer), env


class StraightAhead:
    """Act as an expert: on, and as shaky as the caller's generator."""

    def act(self, observations: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        return np.clip(0.1 + rng.normal(0.0, 0.02, (len(observations), 2)), -0.1, 0.1), {}

    def actor(self) -> "StraightAhead":
        return self

    def get_action(self, observation: np.ndarray) -> tuple[np.ndarray, dict]:
        raise NotImplementedError

    def reset(self, do_resets: Any = None) -> None:
        pass


def cloning() -> Made:
    env = PointEnv(max_episode_length=20)
    learner = room("torch", "policies").GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    expert = StraightAhead()
    sampler = LocalSampler(expert, env)
    algos = room("torch", "algos")
    return algos.BC(env.spec, learner, batch_size=8, source=expert, sampler=sampler), env


def make_point() -> PointEnv:
    return PointEnv(max_episode_length=5)


def with_meta_gradients(name: str) -> Made:
    env = make_point()
    policy = room("torch", "policies").GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    cls, tasks = getattr(room("torch", "algos"), name), SetTaskSampler(make_point)
    sampler, values = LocalSampler(policy, env), LinearFeatureBaseline(env.spec)
    return cls(env, policy, values, sampler, tasks, meta_batch_size=2), env


def with_beliefs() -> Made:
    from garage_like.torch.algos.pearl import PEARLWorker

    tasks = SetTaskSampler(make_point).sample(2)
    env, functions = tasks[0](), room("torch", "q_functions")
    algos = room("torch", "algos")
    spec, latent = algos.PEARL.augment_env_spec(env, 2), algos.PEARL.get_env_spec(env, 2, "vf")
    algo = algos.PEARL(
        tasks,
        room("torch", "policies").TanhGaussianMLPPolicy(spec, HIDDEN),
        functions.ContinuousMLPQFunction(spec, HIDDEN),
        functions.ContinuousMLPQFunction(latent, HIDDEN),
        LocalSampler(None, env, worker_class=PEARLWorker),
        num_train_tasks=2,
        num_test_tasks=1,
        latent_dim=2,
        encoder_hidden_sizes=HIDDEN,
        meta_batch_size=2,
        num_steps_per_epoch=2,
        num_initial_steps=20,
        num_tasks_sample=2,
        num_steps_prior=10,
        num_extra_rl_steps_posterior=10,
        batch_size=4,
        embedding_batch_size=4,
        embedding_mini_batch_size=4,
        test_env_sampler=SetTaskSampler(make_point),
    )
    return algo, env


def over_trials(name: str) -> Made:
    env = RL2Env(make_point())
    policy = room("tf", "policies").GaussianGRUPolicy(env.spec, hidden_dim=4)
    sampler = LocalSampler(policy, env, n_workers=2, worker_class=RL2Worker)
    cls, tasks = getattr(room("tf", "algos"), name), SetTaskSampler(make_point)
    values = LinearFeatureBaseline(env.spec)
    options = {"task_sampler": tasks, "meta_batch_size": 2}
    return cls(env.spec, policy, values, sampler, **options), env


def with_skills(name: str) -> Made:
    from garage_like.envs import MultiEnvWrapper
    from garage_like.tf.embeddings import GaussianMLPEncoder

    goals = ((1.0, 0.0), (-1.0, 0.0))
    env = MultiEnvWrapper([PointEnv(goal, max_episode_length=5) for goal in goals])
    cls, policies = getattr(room("tf", "algos"), name), room("tf", "policies")
    encoder = GaussianMLPEncoder(cls.get_encoder_spec(env.task_space, 2), hidden_sizes=HIDDEN)
    inferred = cls.get_infer_spec(env.spec, 2, 3, num_tasks=2)
    inference = GaussianMLPEncoder(inferred, hidden_sizes=HIDDEN)
    policy = policies.GaussianMLPTaskEmbeddingPolicy(env.spec, encoder, hidden_sizes=HIDDEN)
    sampler = LocalSampler(policy, env)
    return cls(env.spec, policy, LinearFeatureBaseline(env.spec), sampler, inference=inference), env


def with_style() -> Made:
    env = make_point()
    policy = room("torch", "policies").GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    motion = [np.linspace([0.0, 0.0], [1.0, 1.0], 12)]
    sampler, values = LocalSampler(policy, env), LinearFeatureBaseline(env.spec)
    cls = room("torch", "algos").AMP
    return cls(env.spec, policy, values, sampler, motion=motion, features=(0, 1)), env


def in_jax(name: str) -> Made:
    envs, policies = room("jax", "envs"), room("jax", "policies")
    env = envs.JaxEnv(envs.Pendulum() if name == "SAC" else envs.CartPole())
    kinds = {"SAC": "TanhGaussianMLPPolicy", "DQN": "DiscreteQFArgmaxPolicy"}
    policy = getattr(policies, kinds.get(name, "CategoricalMLPPolicy"))(env.spec, HIDDEN)
    small = {"num_envs": 2, "num_steps": 8}
    if name != "PPO":
        small |= {"capacity_in_transitions": 64, "min_buffer_size": 16, "buffer_batch_size": 4}
    return getattr(room("jax", "algos"), name)(env, policy, **small), env
