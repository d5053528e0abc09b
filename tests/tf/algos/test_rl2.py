import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.algos.rl2 import join_trials
from garage_like.envs import PointEnv, RL2Env
from garage_like.experiment import MetaEvaluator
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


def test_adapting_remembers_what_the_worker_remembered_at_the_end_of_the_trial(parts):
    algo = RL2PPO(*parts, task_sampler=SetTaskSampler(PointEnv), meta_batch_size=3)
    sampler = parts[3]
    trials = sampler.obtain_exact_episodes(4)  # two trials of each worker
    adapted = algo.adapt_policy(algo.get_exploration_policy(), trials)
    remembered = sampler._workers[-1]._memory[0]
    assert remembered.any()
    assert_allclose(adapted._start, remembered, atol=1e-6)


def test_what_was_adapted_goes_on_in_the_trial(parts):
    algo = RL2PPO(*parts, task_sampler=SetTaskSampler(PointEnv), meta_batch_size=3)
    sampler, begun = parts[3], []
    adapted = algo.adapt_policy(algo.policy, sampler.obtain_exact_episodes(2))
    inner = adapted.actor()
    memory = np.zeros((2, inner.memory_dim), np.float32)
    inner.remember(memory)
    inner.act(np.ones((2, 7), np.float32), np.random.default_rng(0))
    states = slice(0, 5)  # behind them is the last action
    assert_allclose(memory[0, states], memory[1, states])
    assert (memory[:, 0] == 1).all()
    fresh = np.zeros_like(memory[:, 1:])
    plain = algo.policy.actor()
    plain.remember(fresh)
    plain.act(np.ones((2, 7), np.float32), np.random.default_rng(0))
    assert np.abs(fresh - memory[:, 1:])[:, :4].max() > 1e-3
    env = sampler._workers[0].env
    env.begin_trial = lambda: begun.append(1)
    played = sampler.obtain_exact_episodes(3, adapted)
    assert (len(played), begun) == (9, [])


def test_adaptation_to_test_tasks_is_evaluated(parts, row):
    tasks = SetTaskSampler(
        lambda: PointEnv(max_episode_length=5), wrapper=lambda env, task: RL2Env(env)
    )
    evaluator = MetaEvaluator(
        test_task_sampler=tasks,
        n_test_tasks=2,
        n_exploration_eps=2,
        n_test_episodes=3,
        worker_class=RL2Worker,
        worker_args={"n_episodes_per_trial": 2},
    )
    algo = RL2PPO(
        *parts,
        task_sampler=tasks,
        meta_batch_size=3,
        meta_evaluator=evaluator,
        n_epochs_per_eval=2,
    )
    trainer = Trainer(parts[3], parts[1])
    algo.train_epoch(trainer)
    assert row()["MetaTest/Average/NumEpisodes"] == 6
    algo.train_epoch(trainer)
    assert "MetaTest/Average/NumEpisodes" not in row()


def test_a_policy_without_memory_cannot_adapt(parts):
    from garage_like.tf.policies import GaussianMLPPolicy

    algo = RL2PPO(*parts, task_sampler=SetTaskSampler(PointEnv), meta_batch_size=3)
    episodes = parts[3].obtain_exact_episodes(2)
    with pytest.raises(TypeError, match="the policy must be recurrent to adapt within a trial"):
        algo.adapt_policy(GaussianMLPPolicy(parts[0]), episodes)
