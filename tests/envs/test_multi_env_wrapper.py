import cloudpickle
import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.envs import (
    GridWorldEnv,
    MultiEnvWrapper,
    NormalizedReward,
    PointEnv,
    TaskNameWrapper,
    TaskOnehotWrapper,
)
from garage_like.envs.copy import copy_env
from garage_like.envs.multi_env_wrapper import round_robin_strategy, uniform_random_strategy

ACTION = np.array([0.1, 0.0], np.float32)


def points(n=3):
    return [PointEnv(goal=(k, 1), max_episode_length=2) for k in range(n)]


def tasks_played(env, n_episodes, seed=None):
    found = []
    for episode in range(n_episodes):
        env.reset(seed=seed if episode == 0 else None)
        found.append(env.step(ACTION).env_info["task_id"])
    return found


def test_tasks_take_turns():
    env = MultiEnvWrapper(points(), sample_strategy=round_robin_strategy)
    assert tasks_played(env, 5) == [0, 1, 2, 0, 1]


def test_tasks_are_drawn_from_a_stream_that_goes_on_in_a_pickle():
    env = MultiEnvWrapper(points(), sample_strategy=uniform_random_strategy)
    twin = copy_env(env)
    begun = tasks_played(env, 30, seed=5)
    assert set(begun) == {0, 1, 2}
    assert tasks_played(twin, 30, seed=5) == begun
    twin = cloudpickle.loads(cloudpickle.dumps(env))
    assert tasks_played(env, 20) == tasks_played(twin, 20)


def test_a_strategy_of_ones_own_may_draw_by_ours():
    np.random.seed(3)
    env = MultiEnvWrapper(points(), lambda n, last: uniform_random_strategy(n, last))
    assert set(tasks_played(env, 30)) == {0, 1, 2}


def test_observations_tell_which_task_it_is():
    env = MultiEnvWrapper(points(), round_robin_strategy, env_names=["a", "b", "c"])
    assert env.observation_space.shape == (6,)
    for task, name in enumerate("abc"):
        first, infos = env.reset(seed=1 if task == 0 else None)
        step = env.step(ACTION)
        assert infos["goal"].tolist() == [task, 1]
        for observation in (first, step.observation):
            assert env.observation_space.contains(observation)
            assert_array_equal(observation[3:], np.eye(3)[task])
        assert step.env_spec is env.spec
        assert (step.env_info["task_name"], env.active_task_name) == (name, name)
        assert env.active_task_index == task


def test_one_hot_vectors_are_left_out_or_taken_away():
    plain = MultiEnvWrapper(points(), mode="vanilla")
    assert plain.spec.observation_dim == 3
    told = TaskOnehotWrapper.wrap_env_list(points())
    env = MultiEnvWrapper(told, round_robin_strategy, mode="del-onehot")
    assert env.spec.observation_dim == 3
    assert env.observation_space.contains(env.reset(seed=0)[0])
    assert env.task_space.shape == (env.num_tasks,) == (3,)


def test_environments_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="action spaces of all environments must be equal"):
        MultiEnvWrapper([PointEnv(), GridWorldEnv("chain")])
    with pytest.raises(ValueError, match="expected at least one environment"):
        MultiEnvWrapper([])
    with pytest.raises(ValueError, match=r"mode must be 'vanilla', .* got 'onehot'"):
        MultiEnvWrapper(points(), mode="onehot")
    with pytest.raises(ValueError, match="expected a name for each of 3 environments, got 2"):
        MultiEnvWrapper(points(), env_names=["a", "b"])
    with pytest.raises(ValueError, match=r"names must be all different, got \['a'\] twice"):
        MultiEnvWrapper(points(), env_names=["a", "b", "a"])
    with pytest.raises(ValueError, match="mode='del-onehot' needs observations that end with 3"):
        MultiEnvWrapper(points(), mode="del-onehot")
    with pytest.raises(ValueError, match=r"must return a number in \[0, 3\), got 7"):
        MultiEnvWrapper(points(), lambda num_tasks, last_task: 7).reset()


def test_a_wrapper_appends_one_task():
    env = TaskOnehotWrapper(PointEnv(max_episode_length=1), 1, 4)
    first, _ = env.reset(seed=0)
    assert_array_equal(first[3:], [0, 1, 0, 0])
    assert env.observation_space.contains(env.step(ACTION).observation)
    made = TaskOnehotWrapper.wrap_env_cons_list([PointEnv, PointEnv])
    made = cloudpickle.loads(cloudpickle.dumps(made))
    assert [make().reset()[0][-2:].tolist() for make in made] == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match=r"task_index must be in \[0, n_total_tasks=2\), got 2"):
        TaskOnehotWrapper(PointEnv(), 2, 2)
    with pytest.raises(ValueError, match="observations must be rows of numbers"):
        TaskOnehotWrapper(GridWorldEnv("chain"), 0, 2)


def test_names_are_told_beside_observations():
    env = TaskNameWrapper(PointEnv(), task_name="near", task_id=7)
    env.reset(seed=0)
    infos = env.step(ACTION).env_info
    assert (infos["task_name"], infos["task_id"]) == ("near", 7)
    env = TaskNameWrapper(PointEnv())
    env.reset(seed=0)
    assert not {"task_name", "task_id"} & env.step(ACTION).env_info.keys()


def test_rewards_alone_are_normalised():
    inner = PointEnv(goal=(5, 5))
    env = NormalizedReward(PointEnv(goal=(5, 5)), scale_reward=2.0, reward_alpha=0.5)
    assert isinstance(env.action_space, gymnasium.spaces.Box)
    assert env.spec is env.wrapped.spec
    assert_array_equal(env.reset(seed=0)[0], inner.reset(seed=0)[0])
    for _ in range(3):
        ours, theirs = env.step(ACTION), inner.step(ACTION)
        assert_array_equal(ours.observation, theirs.observation)
    deviation = np.sqrt(env.normalizers()["reward"]["var"])
    np.testing.assert_allclose(ours.reward, 2.0 * theirs.reward / deviation)
