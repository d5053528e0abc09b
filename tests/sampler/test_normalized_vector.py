"""Environments stepped at once are normalised as single ones are: the same numbers, bit by bit."""

import pickle
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from garage_like.data.normalizers import pooled_normalizers
from garage_like.envs import GymEnv, NormalizedEnv, normalize
from garage_like.envs.normalized_env import NormalizedReward
from garage_like.np.policies import UniformRandomPolicy
from garage_like.sampler import (
    FragmentWorker,
    LocalSampler,
    MultiprocessingSampler,
    VectorWorker,
)
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.graph.pickling import copy_exactly

MODES = list(AutoresetMode)
N_ENVS = 5
ALL_OF_IT = {
    "normalize_obs": True,
    "normalize_reward": True,
    "scale_reward": 0.3,
    "obs_alpha": 0.02,
    "reward_alpha": 0.05,
    "expected_action_scale": 2.0,
}


class ByWhatItSees:
    """Acts by the observation alone, whichever environment is asked first."""

    memory_dim = 0

    def actor(self):
        return self

    def get_action(self, observation):
        raise AssertionError("rows are asked for")

    def reset(self, do_resets=None):
        pass

    def act(self, observations, rng):
        code = (np.abs(observations).sum(axis=1) * 1e4).astype(np.int64)
        return ((code % 400)[:, None] / 100.0 - 2.0).astype(np.float32), {}


def one(env_id="Pendulum-v1"):
    return gymnasium.make(env_id, max_episode_steps=13)


def collector(cls, env, **options):
    worker = cls(n_envs=N_ENVS, seed=4, **options)
    worker.update_agent(ByWhatItSees())
    worker.update_env(env)
    return worker


def at_once(mode, **settings):
    env = GymEnv(SyncVectorEnv([one] * N_ENVS, autoreset_mode=mode))
    return collector(VectorWorker, normalize(env, **settings))


@pytest.mark.parametrize("mode", MODES, ids=[mode.value for mode in MODES])
@pytest.mark.parametrize("settings", [{}, ALL_OF_IT], ids=["actions", "all"])
def test_each_step_is_that_of_an_environment_by_itself(mode, settings):
    many = GymEnv(SyncVectorEnv([one] * N_ENVS, autoreset_mode=mode))
    form = normalize(many, **settings).vector_form(N_ENVS, 13)
    alone = [normalize(GymEnv(one()), **settings) for _ in range(N_ENVS)]
    seen = form.reset(range(N_ENVS))
    for column, env in enumerate(alone):
        np.testing.assert_array_equal(seen[column], env.reset(seed=column)[0])
    rng, compared, ended = np.random.default_rng(0), 0, np.zeros(N_ENVS, bool)
    for _ in range(60):
        actions = rng.uniform(-2.5, 2.5, (N_ENVS, 1)).astype(np.float32)
        idle, step = ended & form.idles, form.step(actions)
        ended = step.ended
        last = iter(() if step.last_observations is None else step.last_observations)
        for column, env in enumerate(alone):
            if not idle[column]:
                expected = env.step(actions[column])
                assert step.rewards[column] == expected.reward
                assert step.ended[column] == expected.last
                at_end = not form.idles and expected.last
                found = next(last) if at_end else step.observations[column]
                np.testing.assert_array_equal(found, expected.observation)
                compared += 1
            if idle[column] or (ended[column] and not form.idles):
                np.testing.assert_array_equal(step.observations[column], env.reset()[0])
    assert compared >= 55 * N_ENVS


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_batches_and_statistics_have_the_bits_of_single_environments(mode):
    ours = at_once(mode, **ALL_OF_IT)
    theirs = collector(FragmentWorker, normalize(GymEnv(one()), **ALL_OF_IT))
    for _ in range(4):
        mine, single = ours.obtain_samples(120), theirs.obtain_samples(120)
        for name in ("observations", "last_observations", "actions", "rewards", "step_types"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(single, name))
    known, expected = (pooled_normalizers(worker.envs) for worker in (ours, theirs))
    assert len(ours.envs) == 1
    assert len(theirs.envs) == N_ENVS
    for name in ("observation", "reward"):
        for key in ("mean", "var", "count"):
            np.testing.assert_array_equal(known[name][key], expected[name][key])


def test_steps_that_only_begin_an_episode_are_no_rewards():
    env = at_once(AutoresetMode.NEXT_STEP, **ALL_OF_IT)
    counted = sum(env.obtain_samples(150).num_steps for _ in range(3))
    assert pooled_normalizers(env.envs)["reward"]["count"] == counted


def test_native_form_is_found_inside():
    env = normalize(GymEnv("CartPole-v1"), normalize_obs=True, normalize_reward=True)
    sampler = LocalSampler(UniformRandomPolicy(env.spec), env, n_envs=64)
    batch = sampler.obtain_samples(0, 6400)
    assert sampler._workers[0].vector_env is not None
    assert batch.env_spec is env.spec
    mean, variance = env.observation_statistics
    assert np.all(variance < 1.0)  # they began with 1
    assert np.all(mean != 0.0)
    assert env.normalizers()["observation"]["count"] > 6400


def test_subclasses_with_steps_of_their_own_are_stepped_one_by_one():
    class Own(NormalizedEnv):
        def step(self, action):
            return super().step(action)._replace(reward=7.0)

    class OwnGym(GymEnv):
        def step(self, action):
            return super().step(action)._replace(reward=7.0)

    for env in (Own(GymEnv("CartPole-v1")), normalize(OwnGym("CartPole-v1"))):
        sampler = LocalSampler(UniformRandomPolicy(env.spec), env, n_envs=8)
        assert (sampler.obtain_samples(0, 80).rewards == 7.0).all()
    rewards = NormalizedReward(GymEnv("CartPole-v1"))
    assert rewards.vector_form(8, 500) is not None


def test_standing_still_holds_for_all():
    env = normalize(GymEnv("CartPole-v1"), normalize_obs=True)
    env.set_observation_statistics(np.ones(4), np.full(4, 4.0))
    env.update_running_mean = False
    sampler = LocalSampler(UniformRandomPolicy(env.spec), env, n_envs=8)
    sampler.obtain_samples(0, 80)
    mean, variance = env.observation_statistics
    np.testing.assert_array_equal(mean, np.ones(4))
    np.testing.assert_array_equal(variance, np.full(4, 4.0))


def test_settings_that_are_changed_in_mid_run_hold_for_all():
    env = normalize(GymEnv("CartPole-v1"), normalize_obs=True)
    sampler = LocalSampler(UniformRandomPolicy(env.spec), env, n_envs=8)
    assert sampler.obtain_samples(0, 80).observations.any()
    env.change_arguments({"obs_alpha": 1.0})
    sampler.obtain_samples(0, 80)
    assert not sampler.obtain_samples(0, 80).observations.any()  # each is its own mean


@pytest.mark.parametrize("mode", MODES, ids=[mode.value for mode in MODES])
def test_goes_on_exactly_from_a_copy_taken_in_mid_episode(mode):
    worker = at_once(mode, **ALL_OF_IT)
    for count in (37, 100):
        worker.obtain_samples(count)
        twin = copy_exactly(worker)
        for method, amount in (("obtain_samples", 90), ("obtain_episodes", 7)):
            mine, other = (getattr(each, method)(amount) for each in (worker, twin))
            for name in ("observations", "actions", "rewards", "step_types", "lengths"):
                np.testing.assert_array_equal(getattr(mine, name), getattr(other, name))
    assert check_env(worker.vector_env).exact


def test_numbers_that_are_not_finite_do_not_end_collecting():
    class Broken(gymnasium.Wrapper):
        def step(self, action):
            seen, *rest = self.env.step(action)
            return (seen * np.inf, *rest)

    many = SyncVectorEnv([partial(lambda: Broken(one()))] * N_ENVS)
    worker = collector(VectorWorker, normalize(GymEnv(many), normalize_obs=True))
    with np.errstate(invalid="ignore"):
        worker.obtain_samples(20)


@pytest.mark.slow
def test_worker_processes_bring_home_what_was_learned():
    found = []
    for cls in (LocalSampler, MultiprocessingSampler):
        env = normalize(GymEnv("CartPole-v1"), normalize_obs=True, normalize_reward=True)
        arguments = {"worker_class": VectorWorker, "worker_args": {"n_envs": 8}}
        sampler = cls(UniformRandomPolicy(env.spec), env, seed=3, n_workers=2, **arguments)
        batches = [sampler.obtain_samples(0, 400) for _ in range(2)]
        learned = pooled_normalizers(sampler.envs)
        found.append([b.observations.tobytes() for b in batches])
        found[-1] += [learned[name][key].tobytes() for name in learned for key in ("mean", "var")]
        sampler.shutdown_worker()
    assert found[0] == found[1]


def test_state_is_small():
    env = normalize(GymEnv("CartPole-v1"), normalize_obs=True)
    sampler = LocalSampler(UniformRandomPolicy(env.spec), env, n_envs=64)
    sampler.obtain_samples(0, 640)
    assert len(pickle.dumps(sampler._workers[0])) < 60_000
