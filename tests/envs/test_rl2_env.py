import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.data.batches import StepType
from garage_like.envs import GridWorldEnv, PointEnv, RL2Env


def test_observations_tell_of_the_last_step():
    env = RL2Env(PointEnv(goal=(1, 1), max_episode_length=9))
    assert env.spec.observation_dim == 3 + 2 + 2
    assert env.spec.observation_space is env.observation_space
    first, _ = env.reset(seed=0)
    assert_array_equal(first[3:], np.zeros(4))
    step = env.step(np.array([0.1, -0.05], np.float32))
    assert env.observation_space.contains(step.observation)
    assert_array_equal(step.observation[:2], np.array([0.1, -0.05], np.float32))
    assert_array_equal(step.observation[3:], np.array([0.1, -0.05, step.reward, 0.0], np.float32))
    assert step.env_spec is env.spec


def test_first_observation_of_a_later_episode_tells_how_the_one_before_ended():
    env = RL2Env(PointEnv(max_episode_length=1))
    env.reset(seed=0)
    step = env.step(np.array([0.1, 0.0], np.float32))
    assert step.step_type == StepType.TIMEOUT
    first, _ = env.reset()
    assert_array_equal(first[3:], np.array([0.1, 0.0, step.reward, 1.0], np.float32))
    env.begin_trial()
    first, _ = env.reset()
    assert_array_equal(first[3:], np.zeros(4))


def test_discrete_observations_and_actions_are_one_hot():
    env = RL2Env(GridWorldEnv("chain"))
    inner = env.unwrapped.spec
    env.reset(seed=0)
    observation = env.step(1).observation
    cells, actions = inner.observation_dim, inner.action_dim
    assert observation[:cells].sum() == 1.0
    assert_array_equal(observation[cells : cells + actions], np.eye(actions)[1])


def test_tasks_are_those_of_the_environment():
    env = RL2Env(PointEnv())
    env.set_task({"goal": np.array([0.5, -0.5])})
    assert_array_equal(env.reset(seed=0)[1]["goal"], [0.5, -0.5])


def test_only_environments_are_wrapped():
    with pytest.raises(TypeError, match="RL2Env: env must be an Environment, got 3"):
        RL2Env(3)
