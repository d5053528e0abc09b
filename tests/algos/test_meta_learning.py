"""Each algorithm that learns to learn gains by adapting to tasks that it has not seen."""

import importlib.util

import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import EnvStep, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import PointEnv, RL2Env, normalize
from garage_like.experiment import MetaEvaluator, SetTaskSampler
from garage_like.interfaces import Environment
from garage_like.logging import tabular
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler, RL2Worker
from garage_like.seeding import set_seed, stream
from garage_like.snapshot import SnapshotConfig
from garage_like.torch.algos import MAMLTRPO, PEARL
from garage_like.torch.policies import GaussianMLPPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.trainer import TFTrainer, Trainer

pytestmark = pytest.mark.slow
SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


def gain(algo, **options):
    """Return the average return of new tasks before and after adaptation."""
    MetaEvaluator(n_test_tasks=10, **options).evaluate(algo)
    row = dict(tabular.as_primitive_dict)
    tabular.mark_all()
    tabular.clear()
    return row["MetaTest/Exploration/AverageReturn"], row["MetaTest/Average/AverageReturn"]


def train(algo, env, n_epochs, batch_size, tmp_path, trainer_class=Trainer):
    trainer = trainer_class(SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="none"))
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


def make_point():
    return PointEnv(goal=(0, 0), arena_size=0.7, never_done=True, max_episode_length=20)


def points():
    return SetTaskSampler(make_point, wrapper=lambda env, task: normalize(env))


@SEEDS
def test_maml_finds_goals_by_one_gradient_step(seed, tmp_path):
    set_seed(seed)
    env = normalize(make_point())
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32), init_std=0.5)
    parts = (env, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env), points())
    algo = MAMLTRPO(*parts, inner_lr=0.1, max_kl_step=0.02, meta_batch_size=8)
    train(algo, env, 12, 160, tmp_path)
    before, after = gain(algo, test_task_sampler=points(), n_test_episodes=4)
    assert after > before + 3.0


@SEEDS
def test_pearl_infers_goals_from_episodes(seed, tmp_path):
    set_seed(seed)
    tasks = points().sample(12)
    env = tasks[0]()
    spec = PEARL.augment_env_spec(env, 3)
    algo = PEARL(
        tasks,
        TanhGaussianMLPPolicy(spec, (48, 48)),
        ContinuousMLPQFunction(spec, (48, 48)),
        ContinuousMLPQFunction(PEARL.get_env_spec(env, 3, "vf"), (48, 48)),
        LocalSampler(None, env),
        num_train_tasks=12,
        num_test_tasks=1,
        latent_dim=3,
        encoder_hidden_sizes=(48, 48),
        test_env_sampler=None,
        policy_lr=1e-3,
        qf_lr=1e-3,
        vf_lr=1e-3,
        context_lr=1e-3,
        kl_lambda=0.01,
        soft_target_tau=0.02,
        meta_batch_size=8,
        num_steps_per_epoch=100,
        num_tasks_sample=4,
        num_steps_prior=60,
        num_extra_rl_steps_posterior=60,
        batch_size=24,
        embedding_batch_size=48,
        embedding_mini_batch_size=48,
        discount=0.9,
        replay_buffer_size=5000,
        reward_scale=10.0,
    )
    train(algo, env, 16, None, tmp_path)
    before, after = gain(algo, test_task_sampler=points(), n_test_episodes=4)
    assert after > before + 2.0


class TwoDoors(Environment):
    """Open one of two doors: one step, and a reward behind the door of the task."""

    def __init__(self):
        self._spec = EnvSpec(
            gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32), gymnasium.spaces.Discrete(2), 1
        )
        self._door, self._rng = 0, stream("TwoDoors")

    @property
    def spec(self):
        return self._spec

    def sample_tasks(self, num_tasks):
        return self._rng.integers(2, size=num_tasks).tolist()

    def set_task(self, task):
        self._door = task

    def reset(self, *, seed=None):
        self.needs_reset = False
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.needs_reset = True
        reward = float(action == self._door)
        return EnvStep(self._spec, action, reward, np.zeros(1, np.float32), {}, StepType.TERMINAL)


@SEEDS
@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")
def test_rl2_finds_the_door_within_a_trial(seed, tmp_path):
    from garage_like.tf.algos import RL2PPO
    from garage_like.tf.optimizers import Adam, OptimizerWrapper
    from garage_like.tf.policies import CategoricalGRUPolicy

    set_seed(seed)
    trial = {"n_episodes_per_trial": 3}
    env = RL2Env(TwoDoors())
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=8)
    sampler = LocalSampler(policy, env, n_workers=20, worker_class=RL2Worker, worker_args=trial)
    algo = RL2PPO(
        env.spec,
        policy,
        LinearFeatureBaseline(env.spec),
        sampler,
        task_sampler=SetTaskSampler(TwoDoors),
        meta_batch_size=20,
        policy_optimizer=OptimizerWrapper((Adam, {"lr": 1e-2}), policy, 10),
    )
    train(algo, env, 25, 360, tmp_path, TFTrainer)
    tasks = SetTaskSampler(TwoDoors, wrapper=lambda env, task: RL2Env(env))
    _, after = gain(
        algo,
        test_task_sampler=tasks,
        n_exploration_eps=3,
        n_test_episodes=10,
        worker_class=RL2Worker,
        worker_args=trial,
    )
    assert after > 0.8  # without what was seen of the task, half of the doors are wrong
