"""Copies of an environment as columns: what comes back is what there was, or it is not done so."""

import gymnasium
import numpy as np
import pytest

from garage_like.envs import GymEnv, PointEnv, normalize
from garage_like.envs.copy import copy_env
from garage_like.envs.env_list import EnvList
from garage_like.snapshot.capture import capture
from garage_like.snapshot.env_check import check_env
from garage_like.snapshot.graph.columns import FEWEST
from garage_like.snapshot.graph.known_names import KnownNames
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.environments import EnvState, kind_of

COUNT = FEWEST + 4


class Linked(gymnasium.Env):
    """Holds an array under two names, a cycle, a big number, and a list that grows on its own."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self):
        self.state = np.zeros(2, np.float32)
        self.same_state = self.state
        self.inner = {"owner": self, "numbers": [1, 2.5, True], "pair": (self.state, None)}
        self.big = 2**70
        self.mixed = None
        self.seen = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state[:] = self.np_random.uniform(size=2)
        self.big += int(self.np_random.integers(5))
        self.mixed = 0.5 if self.np_random.random() < 0.5 else None
        return self.state, {}

    def step(self, action):
        self.state += np.float32(0.01)
        return self.state, 1.0, bool(self.np_random.random() < 0.1), False, {}


def played(env, count=COUNT, steps=9):
    env.action_space.seed(0)
    envs = EnvList([env, *(copy_env(env) for _ in range(count - 1))])
    for number, one in enumerate(envs):
        one.reset(seed=number)
        for _ in range(steps):
            if one.step(one.action_space.sample()).last:
                one.reset()
    return envs


@pytest.mark.parametrize(
    "make",
    [
        lambda: GymEnv("CartPole-v1"),
        lambda: GymEnv("Pendulum-v1", max_episode_length=5),
        lambda: GymEnv("Acrobot-v1"),
        lambda: GymEnv("FrozenLake-v1"),
        lambda: normalize(GymEnv("Pendulum-v1"), normalize_obs=True, normalize_reward=True),
        lambda: PointEnv(),
        lambda: GymEnv(Linked()),
    ],
    ids=["cartpole", "pendulum", "acrobot", "frozen_lake", "normalized", "point", "linked"],
)
def test_comes_back_as_it_was(make):
    envs = played(make())
    twins = copy_exactly(envs)
    assert envs.columns is not None
    assert leaves({"envs": envs}) == leaves({"envs": twins})
    for one, other in zip(envs, twins, strict=True):
        for _ in range(40):
            if one.needs_reset:
                assert np.array_equal(one.reset()[0], other.reset()[0])
            action = one.action_space.sample()
            assert np.array_equal(action, other.action_space.sample())
            step, same = one.step(action), other.step(action)
            assert np.array_equal(step.observation, same.observation)
            assert (step.reward, step.step_type) == (same.reward, same.step_type)


def test_what_is_one_object_stays_one_object():
    twins = copy_exactly(played(GymEnv(Linked())))
    for one in twins:
        env = one.gym_env
        assert env.state is env.same_state
        assert env.inner["owner"] is env
        assert env.inner["pair"][0] is env.state
        assert type(env.inner["numbers"][2]) is bool
    assert twins[1].gym_env.state is not twins[2].gym_env.state


@pytest.mark.parametrize("count", [2, FEWEST])
def test_few_are_kept_one_by_one(count):
    envs = played(GymEnv("CartPole-v1"), count)
    assert leaves({"envs": envs}) == leaves({"envs": copy_exactly(envs)})
    assert envs.columns is None


def test_environments_that_differ_in_kind_are_kept_one_by_one():
    envs = played(GymEnv(Linked()))
    envs[3].gym_env.seen.append("more")
    assert leaves({"envs": envs}) == leaves({"envs": copy_exactly(envs)})
    assert envs.columns is None


def test_an_object_that_all_share_is_still_shared_afterwards():
    envs = played(GymEnv(Linked()))
    shared = {"counted": 0}
    for env in envs:
        env.gym_env.shared = shared
    twins = copy_exactly(envs)
    assert envs.columns is None
    assert len({id(env.gym_env.shared) for env in twins}) == 1


def test_simulations_in_c_are_kept_one_by_one():
    envs = played(GymEnv("InvertedPendulum-v5"))
    assert leaves({"envs": envs}) == leaves({"envs": copy_exactly(envs)})
    assert envs.columns is None


def test_environments_that_restart_begin_a_new_episode():
    envs = played(GymEnv("CartPole-v1"))
    known = {kind_of(envs[0]): EnvState("restart", "for the test")}
    twins = copy_exactly(envs, known)
    assert all(env.needs_reset for env in twins)
    assert check_env(envs[0]).exact


def test_arrays_of_columns_bear_the_name_of_the_list():
    envs, names = played(GymEnv("CartPole-v1")), KnownNames()
    for _ in range(3):
        for env in envs:
            env.reset()
        found = capture({"env": envs[0], "copies": envs}, known_names=names)
    parts = [piece for entry in found.arrays for piece in entry["pieces"]]
    assert {component for component, _, _ in parts} <= {"env", "copies"}
    assert len(found.buffers) < COUNT
