import cloudpickle
import numpy as np
import pytest

from garage_like.envs import GridWorldEnv, PointEnv, RL2Env
from garage_like.experiment.task_sampler import SetTaskSampler


def goals(sampler, n_tasks):
    return [update.task["goal"].tolist() for update in sampler.sample(n_tasks)]


def test_tasks_turn_environments_to_goals():
    update, other = SetTaskSampler(PointEnv).sample(2)
    env = RL2Env(PointEnv())
    assert update(env) is env
    np.testing.assert_array_equal(env.reset(seed=0)[1]["goal"], update.task["goal"])
    assert not np.array_equal(update.task["goal"], other.task["goal"])


def test_a_pickle_draws_the_same_tasks_next():
    sampler = SetTaskSampler(PointEnv)
    sampler.sample(3)
    twin = cloudpickle.loads(cloudpickle.dumps(sampler))
    assert goals(sampler, 4) == goals(twin, 4)


def test_an_environment_of_one_task_is_refused():
    with pytest.raises(TypeError, match="must have a method sample_tasks"):
        SetTaskSampler(lambda: GridWorldEnv("chain"))


def test_number_of_tasks_must_be_positive():
    with pytest.raises(ValueError, match="n_tasks must be at least 1, got 0"):
        SetTaskSampler(PointEnv).sample(0)
