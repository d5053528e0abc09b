"""Small experiments with recurrent policies, and by weighted regression, in TensorFlow."""

import functools
from typing import Any

import experiments

from garage_like.envs import GymEnv, PointEnv, RL2Env
from garage_like.experiment import MetaEvaluator
from garage_like.experiment.deterministic import set_seed
from garage_like.experiment.task_sampler import SetTaskSampler
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler, RL2Worker, VecWorker
from garage_like.trainer import TFTrainer

WORKERS: dict[str, tuple[Any, dict[str, int]]] = {
    "default": (DefaultWorker, {}),
    "vec": (VecWorker, {"n_envs": 3}),
    "fragment": (FragmentWorker, {"n_envs": 3}),
    "rl2": (RL2Worker, {"n_episodes_per_trial": 2}),
}


def make_point() -> PointEnv:
    """Make the environment of test tasks."""
    return PointEnv(max_episode_length=12)


def in_trials(env: Any, task: Any) -> RL2Env:
    """Let an environment tell of trials."""
    return RL2Env(env)


def build(algorithm: str, policy_kind: str, worker: str) -> tuple[RLAlgorithm, Environment]:
    """Make an algorithm and its environment from nothing.

    Args:
        algorithm: such as 'trpo', 'reps' or 'rl2_ppo'.
        policy_kind: such as 'categorical_gru' or 'gaussian_mlp'.
        worker: one of WORKERS.
    """
    from garage_like.tf import algos, policies

    set_seed(11)
    env: Environment
    if worker == "rl2":
        env = RL2Env(PointEnv(max_episode_length=12))
    else:
        name = "CartPole-v1" if policy_kind.startswith("categorical") else "Pendulum-v1"
        env = GymEnv(name, max_episode_length=40)
    distribution, network = policy_kind.split("_")
    policy_class = getattr(policies, f"{distribution.title()}{network.upper()}Policy")
    options = {"hidden_sizes": (8,)} if network == "mlp" else {"hidden_dim": 8}
    policy = policy_class(env.spec, **options)
    worker_class, worker_args = WORKERS[worker]
    sampler = LocalSampler(
        policy,
        env,
        worker_class=worker_class,
        worker_args=worker_args,
        n_workers=3 if worker == "rl2" else 2,
    )
    if algorithm == "reps":
        return algos.REPS(env.spec, policy, sampler=sampler), env
    baseline = LinearFeatureBaseline(env.spec)
    cls = getattr(algos, algorithm.replace("_", "").upper())
    more: dict[str, Any] = {}
    if worker == "rl2":
        evaluator = MetaEvaluator(
            test_task_sampler=SetTaskSampler(make_point, wrapper=in_trials),
            n_test_tasks=2,
            n_exploration_eps=2,
            worker_class=RL2Worker,
        )
        more = {
            "task_sampler": SetTaskSampler(PointEnv),
            "meta_batch_size": 3,
            "meta_evaluator": evaluator,
            "n_epochs_per_eval": 2,
        }
    return cls(env.spec, policy, baseline, sampler, **more), env


train = functools.partial(experiments.train, build=build, kind=TFTrainer)
