"""Small experiments in meta-learning, each evaluated on test tasks in every other epoch."""

import functools
from typing import Any

import experiments

from garage_like.envs import GymEnv, PointEnv, normalize
from garage_like.experiment import EnvPoolSampler, MetaEvaluator, SetTaskSampler
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler

HIDDEN = (8,)


def make_point() -> Environment:
    """Make an environment that is asked for goals, and played where there is none."""
    return PointEnv(max_episode_length=10)


def in_cheetah(env: Any, task: Any) -> Environment:
    """Wrap a half cheetah for a task."""
    return normalize(GymEnv(env, max_episode_length=10))


def tasks_of(kind: str) -> Any:
    """Return a task sampler, of 'point', 'pool' or 'cheetah'."""
    if kind == "pool":
        return EnvPoolSampler([PointEnv((k, 1), max_episode_length=10) for k in range(3)])
    if kind == "cheetah":
        from garage_like.envs.mujoco import HalfCheetahVelEnv

        return SetTaskSampler(HalfCheetahVelEnv, wrapper=in_cheetah)
    return SetTaskSampler(make_point)


def build(algorithm: str, kind: str, baseline: str = "linear") -> tuple[RLAlgorithm, Environment]:
    """Make an algorithm and its environment from nothing."""
    set_seed(11)
    tasks = tasks_of(kind)
    if algorithm == "PEARL":
        return _pearl(tasks, kind)
    env = tasks.sample(1)[0]()
    from garage_like.torch import algos
    from garage_like.torch.policies import GaussianMLPPolicy
    from garage_like.torch.value_functions import GaussianMLPValueFunction

    policy = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    value_function = (
        LinearFeatureBaseline(env.spec)
        if baseline == "linear"
        else GaussianMLPValueFunction(env.spec, hidden_sizes=HIDDEN)
    )
    algo = getattr(algos, algorithm)(
        env,
        policy,
        value_function,
        LocalSampler(policy, env, n_workers=2),
        tasks,
        meta_batch_size=2,
        num_grad_updates=2 if algorithm == "MAMLVPG" else 1,
        meta_evaluator=MetaEvaluator(
            test_task_sampler=tasks_of(kind), n_test_tasks=2, n_exploration_eps=2
        ),
        evaluate_every_n_epochs=2,
    )
    return algo, env


def _pearl(tasks: Any, kind: str) -> tuple[RLAlgorithm, Environment]:
    from garage_like.torch.algos import PEARL
    from garage_like.torch.policies import TanhGaussianMLPPolicy
    from garage_like.torch.q_functions import ContinuousMLPQFunction

    updates = tasks.sample(3)
    env = updates[0]()
    spec = PEARL.augment_env_spec(env, 2)
    algo = PEARL(
        updates,
        TanhGaussianMLPPolicy(spec, HIDDEN),
        ContinuousMLPQFunction(spec, HIDDEN),
        ContinuousMLPQFunction(PEARL.get_env_spec(env, 2, "vf"), HIDDEN),
        LocalSampler(None, env),
        num_train_tasks=3,
        num_test_tasks=1,
        latent_dim=2,
        encoder_hidden_sizes=HIDDEN,
        test_env_sampler=tasks_of(kind),
        meta_batch_size=2,
        num_steps_per_epoch=3,
        num_initial_steps=20,
        num_tasks_sample=2,
        num_steps_prior=10,
        num_steps_posterior=10,
        num_extra_rl_steps_posterior=10,
        batch_size=8,
        embedding_batch_size=8,
        embedding_mini_batch_size=8,
        replay_buffer_size=70,
    )
    return algo, env


train = functools.partial(experiments.train, batch_size=40, build=build)
