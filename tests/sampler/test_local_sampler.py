import time

import cloudpickle
import numpy as np
import pytest

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch
from garage_like.envs import GymEnv, PointEnv
from garage_like.sampler import (
    DefaultWorker,
    FragmentWorker,
    LocalSampler,
    VecWorker,
    WorkerFactory,
)

WORKERS = [
    pytest.param(DefaultWorker, {}, id="default"),
    pytest.param(VecWorker, {"n_envs": 3}, id="vec"),
    pytest.param(FragmentWorker, {"n_envs": 3}, id="fragment"),
]
ENVS = [
    pytest.param(lambda: GymEnv("CartPole-v1"), id="CartPole"),
    pytest.param(lambda: PointEnv(goal=(0.3, 0.3), max_episode_length=25), id="Point"),
]


@pytest.fixture
def sampler(parts):
    def make(env, worker_class=DefaultWorker, worker_args=None, **kwargs):
        return LocalSampler(
            parts.MlpPolicy(env.spec),
            env,
            worker_class=worker_class,
            worker_args=worker_args,
            **kwargs,
        )

    return make


@pytest.mark.parametrize("make_env", ENVS)
@pytest.mark.parametrize(("worker_class", "args"), WORKERS)
def test_same_seed_gives_the_same_batches(sampler, same_batch, worker_class, args, make_env):
    def collect(seed):
        seeding.set_seed(seed)
        made = sampler(make_env(), worker_class, args, n_workers=2)
        return EpisodeBatch.concatenate(*(made.obtain_samples(itr, 150) for itr in range(3)))

    assert same_batch(collect(1), collect(1))
    assert not same_batch(collect(1), collect(2))


@pytest.mark.parametrize(("worker_class", "args"), WORKERS)
def test_global_random_numbers_neither_matter_nor_move(sampler, same_batch, worker_class, args):
    def collect(draws):
        made = sampler(GymEnv("CartPole-v1"), worker_class, args, seed=4)
        first = made.obtain_samples(0, 50)
        np.random.random(draws)
        before = np.random.get_state()[1].tolist()
        second = made.obtain_samples(1, 50)
        assert np.random.get_state()[1].tolist() == before
        return EpisodeBatch.concatenate(first, second)

    assert same_batch(collect(0), collect(7))


def test_slow_environments_give_the_same_batches(sampler, same_batch, parts):
    class Slow(PointEnv):
        def step(self, action):
            time.sleep(0.001 * self.slow)
            return super().step(action)

    def collect(slow):
        env = Slow(max_episode_length=5)
        env.slow = slow
        return sampler(env, VecWorker, {"n_envs": 2}, seed=0, n_workers=2).obtain_samples(0, 20)

    assert same_batch(collect(0), collect(1))


def test_a_worker_plays_the_same_however_many_there_are(sampler, same_batch):
    alone = sampler(GymEnv("CartPole-v1"), seed=6).obtain_exact_episodes(2)
    among = sampler(GymEnv("CartPole-v1"), seed=6, n_workers=3).obtain_exact_episodes(2)
    assert same_batch(alone, EpisodeBatch.concatenate(*among.split()[:2]))
    assert len(among) == 6


def test_workers_play_different_episodes(sampler):
    firsts = sampler(GymEnv("CartPole-v1"), n_workers=3).obtain_exact_episodes(1)
    starts = firsts.observations[firsts.ends - firsts.lengths]
    assert len({start.tobytes() for start in starts}) == 3


def test_own_seed_makes_the_run_seed_irrelevant(sampler, same_batch):
    def collect(run_seed):
        seeding.set_seed(run_seed)
        return sampler(GymEnv("CartPole-v1"), seed=9).obtain_samples(0, 50)

    assert same_batch(collect(1), collect(2))


@pytest.mark.parametrize(("worker_class", "args"), WORKERS)
def test_pickle_goes_on_as_if_nothing_had_happened(sampler, same_batch, worker_class, args):
    made = sampler(GymEnv("CartPole-v1"), worker_class, args, n_workers=2)
    made.obtain_samples(0, 70)
    twin = cloudpickle.loads(cloudpickle.dumps(made))
    for itr in range(1, 4):
        assert same_batch(made.obtain_samples(itr, 70), twin.obtain_samples(itr, 70))
    assert twin.total_env_steps == made.total_env_steps


def test_workers_share_the_steps_in_equal_parts(sampler, parts):
    made = sampler(parts.ScriptedEnv([1]), n_workers=3)
    batch = made.obtain_samples(0, 8)
    assert batch.num_steps == 8
    assert batch.episode_infos["episode"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_more_workers_than_steps(sampler, parts):
    assert sampler(parts.ScriptedEnv([2]), n_workers=5).obtain_samples(0, 2).num_steps == 4


def test_counts_env_steps(sampler, parts):
    made = sampler(parts.ScriptedEnv([3]))
    made.obtain_samples(0, 4)
    made.obtain_exact_episodes(2)
    assert made.total_env_steps == 6 + 6


def test_first_worker_steps_the_environment_that_was_given(sampler, parts):
    env = parts.ScriptedEnv([2])
    made = sampler(env, VecWorker, {"n_envs": 2}, n_workers=2)
    made.obtain_exact_episodes(2)
    used = [e for worker in made._workers for e in worker._envs]
    assert used[0] is env
    assert len({id(e) for e in used}) == 4
    # Copies were taken before the first step.
    assert [e.episode for e in used] == [0, 0, 0, 0]


def test_constructing_touches_nothing(sampler):
    class Untouchable(PointEnv):
        def reset(self, *, seed=None):
            raise AssertionError

        def __deepcopy__(self, memo):
            raise AssertionError

    sampler(Untouchable(), VecWorker, {"n_envs": 4}, n_workers=2)


def test_seed_set_after_construction_counts(sampler, same_batch):
    def collect(before):
        seeding.set_seed(before)
        made = sampler(GymEnv("CartPole-v1"))
        seeding.set_seed(3)
        return made.obtain_samples(0, 30)

    assert same_batch(collect(1), collect(2))


def test_policy_is_shared_and_acts_by_its_newest_weights(sampler, parts):
    env = parts.ScriptedEnv([2])
    policy = parts.ConstantPolicy(1)
    made = LocalSampler(policy, env, n_workers=2)
    first = made.obtain_exact_episodes(1)
    policy.network.action = 3
    second = made.obtain_exact_episodes(1)
    assert set(first.actions.tolist()) == {1}
    assert set(second.actions.tolist()) == {3}


def test_agent_update_may_be_the_policy_another_or_parameters(parts):
    policy = parts.ConstantPolicy(0)
    made = LocalSampler(policy, parts.ScriptedEnv([1]))
    assert made.obtain_samples(0, 1, agent_update=policy).actions.tolist() == [0]
    assert made.obtain_samples(1, 1, agent_update=2).actions.tolist() == [2]
    other = parts.ConstantPolicy(3)
    assert made.obtain_samples(2, 1, agent_update=other).actions.tolist() == [3]
    assert made.obtain_samples(3, 1).actions.tolist() == [3]


def test_a_list_of_updates_is_one_for_each_worker(parts):
    made = LocalSampler(parts.ConstantPolicy(), parts.ScriptedEnv([1]), n_workers=3)
    batch = made.obtain_exact_episodes(2, agent_update=[1, 2, 3])
    assert batch.actions.tolist() == [1, 1, 2, 2, 3, 3]


def test_lists_of_policies_and_environments(parts):
    envs = [parts.ScriptedEnv([1]), parts.ScriptedEnv([2])]
    made = LocalSampler([parts.ConstantPolicy(1), parts.ConstantPolicy(2)], envs, n_workers=2)
    batch = made.obtain_exact_episodes(1)
    assert batch.lengths.tolist() == [1, 2]
    assert batch.actions.tolist() == [1, 2, 2]
    assert [worker._envs[0] for worker in made._workers] == envs


def test_env_update_may_be_an_environment(sampler, parts):
    made = sampler(parts.ScriptedEnv([1]), n_workers=2)
    made.obtain_exact_episodes(1)
    new = parts.ScriptedEnv([4])
    assert made.obtain_exact_episodes(1, env_update=new).lengths.tolist() == [4, 4]
    assert made._workers[0]._envs[0] is new
    assert made._workers[1]._envs[0] is not new


def test_env_updates_may_be_a_callable_for_each_worker(sampler, parts):
    class Longer:
        def __init__(self, length):
            self.length = length

        def __call__(self, env):
            env.lengths = (self.length,)
            return env

    made = sampler(parts.ScriptedEnv([1]), VecWorker, {"n_envs": 2}, n_workers=2)
    batch = made.obtain_exact_episodes(2, env_update=[Longer(2), Longer(5)])
    assert batch.lengths.tolist() == [2, 2, 5, 5]


def test_max_episode_length_defaults_to_the_environments(sampler):
    env = GymEnv("Pendulum-v1", max_episode_length=7)
    assert sampler(env).obtain_exact_episodes(1).lengths.tolist() == [7]
    assert sampler(env, max_episode_length=4).obtain_exact_episodes(1).lengths.tolist() == [4]


def test_made_from_a_worker_factory(parts):
    factory = WorkerFactory(max_episode_length=2, seed=1, n_workers=2, worker_class=VecWorker)
    made = LocalSampler.from_worker_factory(factory, parts.ConstantPolicy(), parts.ScriptedEnv([9]))
    assert made.obtain_exact_episodes(1).lengths.tolist() == [2, 2]


def test_exec_times_add_up_over_workers_since_the_last_call(sampler):
    made = sampler(GymEnv("CartPole-v1"), n_workers=2)
    assert made.exec_times() == {"EnvExecTime": 0, "PolicyExecTime": 0, "ProcessExecTime": 0}
    started = time.perf_counter()
    made.obtain_samples(0, 500)
    wall = time.perf_counter() - started
    assert 0.5 * wall < sum(made.exec_times().values()) <= wall
    assert sum(made.exec_times().values()) == 0


def test_starting_and_stopping_leaves_episodes_going(sampler, same_batch):
    made, twin = (
        sampler(GymEnv("CartPole-v1"), FragmentWorker, {"n_envs": 2}, seed=2) for _ in range(2)
    )
    made.start_worker()
    made.obtain_samples(0, 10)
    twin.obtain_samples(0, 10)
    made.shutdown_worker()
    made.start_worker()
    assert same_batch(made.obtain_samples(1, 10), twin.obtain_samples(1, 10))


@pytest.mark.parametrize("what", ["agents", "envs"])
def test_lists_must_have_one_entry_for_each_worker(parts, what):
    given = {"agents": parts.ConstantPolicy(), "envs": parts.ScriptedEnv()}
    given[what] = [given[what]]
    with pytest.raises(ValueError, match=f"{what} as a list must have one entry for each of 2"):
        LocalSampler(given["agents"], given["envs"], n_workers=2)


def test_update_lists_must_have_one_entry_for_each_worker(sampler, parts):
    with pytest.raises(ValueError, match=r"agent_update as a list .* each of 1 workers, got 2"):
        sampler(parts.ScriptedEnv()).obtain_samples(0, 1, agent_update=[1, 2])


def test_gymnasium_environments_must_be_wrapped(parts):
    with pytest.raises(TypeError, match=r"envs must be an Environment.*wrap a gymnasium env"):
        LocalSampler(parts.ConstantPolicy(), GymEnv("CartPole-v1").gym_env)


def test_asking_for_nothing_is_an_error(sampler, parts):
    made = sampler(parts.ScriptedEnv())
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        made.obtain_samples(0, 0)
    with pytest.raises(ValueError, match="n_eps_per_worker must be at least 1, got 0"):
        made.obtain_exact_episodes(0)


def test_arguments_of_workers_go_to_the_factory_or_the_sampler_not_both(parts):
    with pytest.raises(TypeError, match="give them to it or to the sampler, not to both"):
        LocalSampler(
            parts.ConstantPolicy(),
            parts.ScriptedEnv(),
            worker_factory=WorkerFactory(),
            n_workers=2,
        )
