import importlib.util
from typing import NamedTuple

import cloudpickle
import gymnasium
import numpy as np
import pytest

from garage_like.envs import GridWorldEnv, PointEnv, RL2Env, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.experiment.task_sampler import (
    ConstructEnvsSampler,
    EnvPoolSampler,
    MetaWorldTaskSampler,
    SetTaskSampler,
)


def goals(sampler, n_tasks):
    return [update.task["goal"].tolist() for update in sampler.sample(n_tasks)]


def test_tasks_turn_environments_to_goals():
    update, other = SetTaskSampler(PointEnv).sample(2)
    env = RL2Env(PointEnv())
    assert update(env) is env
    np.testing.assert_array_equal(env.reset(seed=0)[1]["goal"], update.task["goal"])
    assert not np.array_equal(update.task["goal"], other.task["goal"])


def test_a_task_makes_an_environment_where_there_is_none():
    (update,) = SetTaskSampler(PointEnv, wrapper=lambda env, task: normalize(env)).sample(1)
    env = update()
    assert env.wrapped.reset(seed=0)[1]["goal"].tolist() == update.task["goal"].tolist()


class Far(PointEnv):
    """Must be told how far."""

    def __init__(self, distance):
        super().__init__(arena_size=distance)


def test_an_environment_that_must_be_told_something_is_made_as_the_one_there_is():
    (update,) = SetTaskSampler(Far, env=Far(3.0)).sample(1)
    env = update()
    assert env._arena_size == 3.0
    assert env.reset(seed=0)[1]["goal"].tolist() == update.task["goal"].tolist()
    assert update(env) is env


def test_a_pickle_draws_the_same_tasks_next():
    sampler = SetTaskSampler(PointEnv)
    sampler.sample(3)
    twin = cloudpickle.loads(cloudpickle.dumps(sampler))
    assert goals(sampler, 4) == goals(twin, 4)


def test_an_environment_of_one_task_is_refused():
    with pytest.raises(TypeError, match="must have a method sample_tasks"):
        SetTaskSampler(lambda: GridWorldEnv("chain"))


class Task(NamedTuple):
    env_name: str
    goal: tuple


class Reach(PointEnv):
    max_path_length = 5

    def set_task(self, task):
        super().set_task({"goal": task.goal} if isinstance(task, Task) else task)


class Push(Reach):
    pass


class Benchmark:
    """What of Meta-World's benchmarks is used."""

    train_classes = {"reach": Reach, "push": Push}
    test_classes = {"push": Push}
    train_tasks = [Task(name, (0.1 * k, 0.0)) for name in ("reach", "push") for k in range(3)]
    test_tasks = train_tasks[3:]


@pytest.fixture
def gym_env_is_ours(monkeypatch):
    """Let GymEnv leave the benchmark's environments alone, which are Environments already."""
    monkeypatch.setattr("garage_like.envs.meta_world.GymEnv", lambda env, max_episode_length: env)


def samplers():
    return [
        SetTaskSampler(PointEnv),
        ConstructEnvsSampler([PointEnv, RL2Env]),
        EnvPoolSampler([PointEnv(), PointEnv()]),
        MetaWorldTaskSampler(Benchmark, "train"),
    ]


@pytest.mark.parametrize("sampler", samplers(), ids=lambda sampler: type(sampler).__name__)
def test_number_of_tasks_must_be_positive(sampler):
    with pytest.raises(ValueError, match=f"{type(sampler).__name__}: n_tasks must be at least 1"):
        sampler.sample(0)


def test_samplers_know_how_many_tasks_there_are():
    assert [sampler.n_tasks for sampler in samplers()] == [None, 2, 2, 6]


def test_no_environment_is_drawn_twice_before_all_were_drawn():
    set_seed(1)
    made = [lambda k=k: PointEnv(goal=(k, 0)) for k in range(4)]
    sampler = ConstructEnvsSampler(made)
    drawn = [update().reset()[1]["goal"][0] for update in sampler.sample(10)]
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]
    assert len({tuple(drawn[k : k + 4]) for k in (0, 4)}) == 2
    twin = cloudpickle.loads(cloudpickle.dumps(sampler))
    again = [
        [update().reset()[1]["goal"][0] for update in one.sample(5, with_replacement=True)]
        for one in (sampler, twin)
    ]
    assert again[0] == again[1]


def test_a_pool_hands_out_its_own_environments_and_grows_by_copies():
    envs = [PointEnv(goal=(k, 0)) for k in range(3)]
    sampler = EnvPoolSampler(envs)
    assert {id(update()) for update in sampler.sample(3)} == set(map(id, envs))
    with pytest.raises(ValueError, match=r"at most the 3 environments.*grow_pool\(5\) first"):
        sampler.sample(5)
    sampler.grow_pool(5)
    drawn = [update() for update in sampler.sample(5)]
    assert len(set(map(id, drawn))) == 5


def test_each_class_of_a_benchmark_is_drawn_equally_often(gym_env_is_ours):
    sampler = MetaWorldTaskSampler(Benchmark, "train", add_env_onehot=True)
    updates = sampler.sample(6)
    assert len({update.task for update in updates}) == 6
    env = None
    for update in updates:
        env = update(env)
        observation, infos = env.reset()
        assert isinstance(env.unwrapped, Benchmark.train_classes[update.task.env_name])
        np.testing.assert_allclose(infos["goal"], update.task.goal)
        number = list(Benchmark.train_classes).index(update.task.env_name)
        assert observation[-2:].tolist() == np.eye(2)[number].tolist()
        told = env.step(np.zeros(2)).env_info
        assert (told["task_name"], told["task_id"]) == (update.task.env_name, number)
    with pytest.raises(ValueError, match="n_tasks must be a multiple of the 2 classes"):
        sampler.sample(3)


def test_copies_of_a_benchmarks_environments_keep_their_actions(gym_env_is_ours):
    class Arm(Push):
        action_space = gymnasium.spaces.Box(-1, 1, (4,))

    class Arms(Benchmark):
        train_classes = {"push": Arm}
        train_tasks = Benchmark.test_tasks

    update, other = MetaWorldTaskSampler(Arms, "train").sample(2)
    env = update()
    env.unwrapped.action_space = gymnasium.spaces.Box(-1, 1, (2,))
    assert other(env).unwrapped.action_space.shape == (4,)


def test_a_one_hot_vector_does_not_number_classes_that_training_lacks():
    class Other(Benchmark):
        test_classes = {"pull": PointEnv}

    with pytest.raises(ValueError, match="not those of training"):
        MetaWorldTaskSampler(Other, "test", add_env_onehot=True)
    with pytest.raises(ValueError, match="kind must be 'train' or 'test', got 'all'"):
        MetaWorldTaskSampler(Benchmark, "all")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("metaworld") is None, reason="needs metaworld")
def test_tasks_of_meta_world_are_played_and_check_as_exact():
    import metaworld

    from garage_like.envs import check_env

    sampler = MetaWorldTaskSampler(metaworld.ML1("reach-v3", seed=1), "train")
    update, other = sampler.sample(2)
    env = update()
    env.reset(seed=1)
    step = env.step(env.action_space.sample())
    assert step.env_info["task_name"] == "reach-v3"
    assert other(env).unwrapped.gym_env.unwrapped is env.unwrapped.gym_env.unwrapped
    assert check_env(update()).mode == "exact"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("metaworld") is None, reason="needs metaworld")
def test_one_environment_plays_all_tasks_of_meta_world(tmp_path):
    import metaworld

    from garage_like.envs import MetaWorldSetTaskEnv, check_env

    env = MetaWorldSetTaskEnv(metaworld.MT10(seed=1), "train", add_env_onehot=True)
    assert env.num_tasks == 500
    names = set()
    for task in env.sample_tasks(12):
        env.set_task(task)
        observation, _ = env.reset(seed=1)
        step = env.step(env.action_space.sample())
        names.add(step.env_info["task_name"])
        assert observation[-10:].argmax() == step.env_info["task_id"]
    assert len(names) > 3
    assert check_env(env).mode == "exact"
    update = SetTaskSampler(lambda: env).sample(1)[0]
    assert update().observation_space == env.observation_space
