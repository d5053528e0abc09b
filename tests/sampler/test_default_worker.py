import numpy as np
import pytest

from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.sampler import DefaultWorker

FIRST, MID, TERMINAL, TIMEOUT = StepType


@pytest.fixture
def worker(parts):
    def make(env, policy=None, **kwargs):
        made = DefaultWorker(**kwargs)
        made.update_agent(policy or parts.ConstantPolicy())
        made.update_env(env)
        return made

    return make


def test_plays_whole_episodes_until_there_are_enough_steps(worker, parts):
    batch = worker(parts.ScriptedEnv([2, 3, 4, 5])).obtain_samples(6)
    assert batch.lengths.tolist() == [2, 3, 4]
    assert batch.step_types.tolist() == [0, 2, 0, 1, 2, 0, 1, 1, 2]


def test_stops_as_soon_as_there_are_enough_steps(worker, parts):
    assert worker(parts.ScriptedEnv([2, 3, 4])).obtain_samples(5).lengths.tolist() == [2, 3]


def test_plays_exactly_as_many_episodes_as_asked_for(worker, parts):
    made = worker(parts.ScriptedEnv([2, 3, 4]))
    assert made.obtain_episodes(2).lengths.tolist() == [2, 3]
    assert made.rollout().lengths.tolist() == [4]


def test_every_row_is_where_it_belongs(worker, parts):
    env = parts.ScriptedEnv([2, 3], info=lambda episode, count: {"where": [episode, count]})
    batch = worker(env, parts.ConstantPolicy(2)).obtain_episodes(2)
    assert batch.observations.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]]
    assert batch.last_observations.tolist() == [[0, 2], [1, 3]]
    assert batch.next_observations.tolist() == [[0, 1], [0, 2], [1, 1], [1, 2], [1, 3]]
    assert batch.env_infos["where"].tolist() == batch.next_observations.tolist()
    assert batch.rewards.tolist() == [1, 2, 1, 2, 3]
    assert batch.actions.tolist() == [2] * 5
    assert batch.episode_infos_by_episode["episode"].tolist() == [0, 1]
    assert batch.episode_infos["episode"].tolist() == [0, 0, 1, 1, 1]


def test_agent_infos_are_those_of_each_decision(worker, parts):
    batch = worker(parts.ScriptedEnv([2, 3]), seed=5).obtain_episodes(2)
    again = worker(parts.ScriptedEnv([5]), seed=5).obtain_episodes(1)
    np.testing.assert_array_equal(batch.agent_infos["noise"], again.agent_infos["noise"])
    assert len(set(batch.agent_infos["noise"].tolist())) == 5


def test_own_limit_cuts_episodes_off(worker, parts):
    batch = worker(parts.ScriptedEnv([2, 9]), max_episode_length=3).obtain_episodes(2)
    assert batch.step_types.tolist() == [FIRST, TERMINAL, FIRST, MID, TIMEOUT]


def test_termination_wins_at_the_workers_limit(worker, parts):
    batch = worker(parts.ScriptedEnv([3]), max_episode_length=3).obtain_episodes(1)
    assert batch.step_types.tolist() == [FIRST, MID, TERMINAL]


@pytest.mark.parametrize("limit", [4, 9, None])
def test_limit_of_the_environment_holds_below_the_workers(worker, parts, limit):
    made = worker(parts.ScriptedEnv([99], limit=4), max_episode_length=limit)
    assert made.obtain_episodes(1).step_types.tolist() == [FIRST, MID, MID, TIMEOUT]


def test_policy_forgets_at_each_episode(worker, parts):
    policy = parts.ConstantPolicy()
    worker(parts.ScriptedEnv([2]), policy).obtain_episodes(3)
    assert policy.resets == [[True]] * 3


def test_environment_is_seeded_once(worker, parts):
    env = parts.ScriptedEnv([2])
    worker(env, seed=3).obtain_episodes(3)
    assert [seed is None for seed in env.seeds] == [False, True, True]


def test_a_new_environment_is_seeded_anew_and_differently(worker, parts):
    first, second = parts.ScriptedEnv([2]), parts.ScriptedEnv([2])
    made = worker(first)
    made.rollout()
    made.update_env(second)
    made.rollout()
    assert second.seeds[0] is not None
    assert second.seeds[0] != first.seeds[0]


def test_an_environment_changed_in_place_keeps_its_random_numbers(worker, parts):
    def longer(env):
        env.lengths = (7,)
        return env

    env = parts.ScriptedEnv([2])
    made = worker(env)
    made.rollout()
    made.update_env(longer)
    assert made.rollout().lengths.tolist() == [7]
    assert env.seeds[1] is None


def test_parameters_go_to_the_policy(worker, parts):
    policy = parts.ConstantPolicy(1)
    made = worker(parts.ScriptedEnv([1]), policy)
    made.update_agent(3)
    assert made.rollout().actions.tolist() == [3]
    assert policy.network.action == 3


def test_another_policy_takes_over(worker, parts):
    made = worker(parts.ScriptedEnv([1]), parts.ConstantPolicy(1))
    made.update_agent(parts.ConstantPolicy(2))
    assert made.rollout().actions.tolist() == [2]


def test_policy_without_a_numpy_actor_acts_by_its_framework(worker, parts):
    class Framework(parts.ConstantPolicy):
        def actor(self):
            return None

        def get_actions(self, observations):
            return [observations[0, 1] % 4], {"seen": observations[:, 1].tolist()}

    batch = worker(parts.ScriptedEnv([3]), Framework()).rollout()
    assert batch.actions.tolist() == [0, 1, 2]
    assert batch.agent_infos["seen"].tolist() == [0, 1, 2]


def test_discrete_observations_make_one_dimension(worker, parts):
    env = GymEnv("FrozenLake-v1")
    batch = worker(env, parts.ConstantPolicy(1)).rollout()
    assert batch.observations.shape == batch.actions.shape == (batch.num_steps,)
    assert batch.observations.dtype == np.int64


def test_exec_times_are_since_the_last_call(worker, parts):
    made = worker(GymEnv("CartPole-v1"))
    made.obtain_samples(200)
    times = made.exec_times()
    assert set(times) == {"EnvExecTime", "PolicyExecTime", "ProcessExecTime"}
    assert all(seconds > 0 for seconds in times.values())
    assert not any(made.exec_times().values())


def test_sampling_without_policy_or_environment_is_an_error():
    with pytest.raises(RuntimeError, match=r"call update_agent\(policy\) and update_env\(env\)"):
        DefaultWorker().rollout()


def test_first_update_must_be_a_policy():
    with pytest.raises(ValueError, match="the first update must be a policy, got list"):
        DefaultWorker().update_agent([1, 2])


def test_update_env_refuses_what_is_no_environment(worker, parts):
    with pytest.raises(TypeError, match=r"update_env: expected an Environment.*wrap it in GymEnv"):
        DefaultWorker().update_env(GymEnv("CartPole-v1").gym_env)
    with pytest.raises(TypeError, match=r"expected an Environment, or a callable .* got None"):
        worker(parts.ScriptedEnv()).update_env(lambda env: None)


def test_bad_limit_is_refused():
    with pytest.raises(ValueError, match="DefaultWorker: max_episode_length must be at least 1"):
        DefaultWorker(max_episode_length=0)
