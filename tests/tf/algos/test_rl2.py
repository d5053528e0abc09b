import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.algos.rl2 import join_trials
from garage_like.envs import PointEnv, RL2Env
from garage_like.experiment.task_sampler import SetTaskSampler
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler, RL2Worker
from garage_like.tf.algos import RL2PPO, RL2TRPO
from garage_like.tf.policies import GaussianGRUPolicy


class Trainer:
    """What an algorithm asks a trainer for."""

    def __init__(self, sampler, policy):
        self.sampler, self.policy = sampler, policy
        self.step_itr, self.batches = 0, []

    def obtain_episodes(self, itr, env_update=None):
        self.batches.append(self.sampler.obtain_samples(itr, 60, self.policy, env_update))
        return self.batches[-1]


@pytest.fixture
def parts():
    env = RL2Env(PointEnv(max_episode_length=5, never_done=True))
    policy = GaussianGRUPolicy(env.spec, hidden_dim=4)
    sampler = LocalSampler(
        policy, env, n_workers=3, worker_class=RL2Worker, worker_args={"n_episodes_per_trial": 2}
    )
    return env.spec, policy, LinearFeatureBaseline(env.spec), sampler


def test_each_worker_plays_a_task_of_its_own_and_each_batch_has_new_ones(parts, row):
    algo = RL2PPO(*parts, task_sampler=SetTaskSampler(PointEnv), meta_batch_size=3)
    trainer = Trainer(parts[3], parts[1])
    for _ in range(2):
        algo.train_epoch(trainer)
    goals = [
        {tuple(goal) for goal in batch.episode_infos_by_episode["goal"].tolist()}
        for batch in trainer.batches
    ]
    assert [len(found) for found in goals] == [3, 3]
    assert not goals[0] & goals[1]
    assert trainer.step_itr == 2


def test_what_is_recorded_tells_first_episodes_from_second_ones(parts, row):
    algo = RL2PPO(*parts, task_sampler=SetTaskSampler(PointEnv), meta_batch_size=3)
    trainer = Trainer(parts[3], parts[1])
    average = algo.train_epoch(trainer)
    recorded = row()
    first = recorded["Adaptation/AverageReturnOfEpisode1"]
    second = recorded["Adaptation/AverageReturnOfEpisode2"]
    assert_allclose(first + second, average)
    assert_allclose(recorded["Evaluation/AverageReturn"], average)


def test_updates_run_over_whole_trials(parts):
    _, policy, _, sampler = parts
    trials = join_trials(sampler.obtain_samples(0, 60))
    assert trials.lengths.tolist() == [10] * 6
    distribution, _ = policy(policy.inputs(trials))
    assert_allclose(distribution.mean, trials.agent_infos["mean"], rtol=1e-5, atol=1e-5)


def test_a_task_sampler_must_sample(parts):
    with pytest.raises(TypeError, match=r"RL2TRPO: task_sampler must have a method sample"):
        RL2TRPO(*parts, task_sampler=PointEnv, meta_batch_size=3)


def test_number_of_tasks_must_be_positive(parts):
    with pytest.raises(ValueError, match="RL2PPO: meta_batch_size must be at least 1, got 0"):
        RL2PPO(*parts, task_sampler=SetTaskSampler(PointEnv), meta_batch_size=0)


def test_trials_of_another_length_are_refused(parts):
    options = {"task_sampler": SetTaskSampler(PointEnv), "meta_batch_size": 3}
    algo = RL2PPO(*parts, **options, episodes_per_trial=4)
    with pytest.raises(ValueError, match="RL2PPO: expected trials of 4 episodes, got 2; give"):
        algo.train_epoch(Trainer(parts[3], parts[1]))
    with pytest.raises(ValueError, match="episodes_per_trial must be at least 1, got 0"):
        RL2PPO(*parts, **options, episodes_per_trial=0)


def test_options_are_those_of_the_algorithm(parts):
    options = {"task_sampler": SetTaskSampler(PointEnv), "meta_batch_size": 3}
    with pytest.raises(ValueError, match="PPO: lr_clip_range must lie between 0 and 1"):
        RL2PPO(*parts, **options, lr_clip_range=2.0)
    assert RL2TRPO(*parts, **options, discount=0.5).discount == np.float64(0.5)
