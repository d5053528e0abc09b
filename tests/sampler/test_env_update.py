import gymnasium
import numpy as np
import pytest

from garage_like.envs import GymEnv, PointEnv, RL2Env, normalize
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.sampler import (
    DefaultWorker,
    EnvUpdate,
    ExistingEnvUpdate,
    FragmentWorker,
    LocalSampler,
    NewEnvUpdate,
    SetTaskUpdate,
    VecWorker,
    _apply_env_update,
)

TASK = {"goal": np.array([0.5, -0.5], np.float32)}


class Farther(PointEnv):
    """A task family of another class."""


def goal(env):
    return env.reset()[1]["goal"].tolist()


def test_a_task_is_set_in_the_environment_that_is_stepped_and_wrappers_stay():
    env = RL2Env(normalize(PointEnv()))
    assert SetTaskUpdate(PointEnv, TASK)(env) is env
    assert goal(env) == [0.5, -0.5]


def test_without_an_environment_of_the_type_one_is_made():
    for old in (None, normalize(PointEnv())):
        env = SetTaskUpdate(Farther, TASK)(old)
        assert type(env) is Farther
        assert goal(env) == [0.5, -0.5]
        assert old is None or goal(old) == [1.0, 1.0]


def test_a_wrapper_is_put_around_the_environment_that_has_tasks():
    told = []

    def wrap(env, task):
        told.append(task)
        return normalize(env)

    old = RL2Env(PointEnv())
    env = SetTaskUpdate(PointEnv, TASK, wrap)(old)
    assert env.wrapped is old.wrapped
    assert told == [TASK]


def test_a_task_is_set_in_an_environment_of_gymnasium_too():
    class Gym(gymnasium.Env):
        observation_space = action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

        def set_task(self, task):
            self.task = task

    env = normalize(GymEnv(gymnasium.wrappers.TimeLimit(Gym(), 5)))
    assert SetTaskUpdate(Gym, TASK)(env) is env
    assert env.unwrapped.gym_env.unwrapped.task is TASK
    assert SetTaskUpdate(Gym, TASK)().task is TASK
    assert isinstance(NewEnvUpdate(Gym)(env), Gym)


def test_a_sampler_begins_with_what_updates_make():
    updates = [SetTaskUpdate(PointEnv, TASK), NewEnvUpdate(PointEnv)]
    sampler = LocalSampler(GaussianMLPPolicy(PointEnv().spec), updates, n_workers=2)
    assert [goal(env) for env in sampler._envs] == [[0.5, -0.5], [1.0, 1.0]]


def test_an_update_that_says_nothing_changes_nothing():
    env = PointEnv()
    assert EnvUpdate()(env) is env
    assert EnvUpdate()() is None


def test_an_update_of_any_kind_is_applied_as_programs_for_garage_do():
    env, other = PointEnv(), PointEnv()
    assert _apply_env_update(env, None) == (env, False)
    assert _apply_env_update(env, other) == (other, True)
    assert _apply_env_update(env, NewEnvUpdate(lambda: other)) == (other, True)
    with pytest.raises(TypeError, match="expected an Environment or an EnvUpdate, got 3"):
        _apply_env_update(env, 3)


@pytest.mark.parametrize("worker", [VecWorker, FragmentWorker])
def test_a_list_has_an_entry_for_each_environment_of_a_worker(worker):
    tasks = [SetTaskUpdate(PointEnv, {"goal": goal}) for goal in ((1, 0), (0, 1))]
    collects = worker(seed=1, max_episode_length=3, n_envs=2)
    collects.update_agent(GaussianMLPPolicy(PointEnv().spec))
    collects.update_env(tasks)
    goals = {tuple(goal) for goal in collects.rollout().env_infos["task"]["goal"]}
    assert goals == {(1.0, 0.0), (0.0, 1.0)}
    with pytest.raises(ValueError, match="one entry for each of 2 environments, got 1"):
        collects.update_env(tasks[:1])


@pytest.mark.parametrize(("worker", "args"), [(DefaultWorker, {}), (VecWorker, {"n_envs": 2})])
def test_workers_share_no_environment_that_an_update_gives_to_all(worker, args):
    pool = PointEnv(goal=(0, 1), max_episode_length=3)
    env = PointEnv(max_episode_length=3)
    sampler = LocalSampler(
        GaussianMLPPolicy(env.spec), env, n_workers=2, worker_class=worker, worker_args=args
    )
    for _ in range(2):
        batch = sampler.obtain_exact_episodes(1, env_update=ExistingEnvUpdate(pool))
        assert (batch.episode_infos_by_episode["goal"] == [0, 1]).all()
        assert len({id(env) for env in sampler.envs}) == 2 * args.get("n_envs", 1)
        assert sampler.envs[0] is pool


def test_each_worker_may_have_an_update_of_its_own():
    env = PointEnv(max_episode_length=3)
    sampler = LocalSampler(GaussianMLPPolicy(env.spec), env, n_workers=2)
    other = {"goal": np.array([0, 2], np.float32)}
    updates = [SetTaskUpdate(PointEnv, TASK), SetTaskUpdate(PointEnv, other)]
    batch = sampler.obtain_exact_episodes(1, env_update=updates)
    assert batch.episode_infos_by_episode["goal"].tolist() == [[0.5, -0.5], [0, 2]]
