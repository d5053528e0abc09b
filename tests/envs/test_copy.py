import threading

import gymnasium
import numpy as np
import pytest

from garage_like.data.env_layers import layers_of
from garage_like.envs import GymEnv, PointEnv, normalize
from garage_like.envs.copy import copy_env
from garage_like.snapshot.graph.pickling import copy_exactly


def test_copy_shares_nothing_with_the_original():
    env = normalize(GymEnv("Pendulum-v1"), normalize_obs=True)
    env.reset(seed=1)
    mean = env._obs_mean.copy()
    twin = copy_env(env)
    twin.reset(seed=2)
    for _ in range(5):
        twin.step(twin.action_space.sample())
    np.testing.assert_array_equal(env._obs_mean, mean)
    assert env.unwrapped.gym_env.unwrapped is not twin.unwrapped.gym_env.unwrapped


def test_copy_must_be_reset_first():
    env = PointEnv()
    env.reset()
    twin = copy_env(env)
    assert twin.needs_reset
    assert not env.needs_reset


def test_copy_is_of_the_same_class_object():
    class Local(PointEnv):
        pass

    assert type(copy_env(Local())) is Local


def test_copy_of_a_mujoco_environment_is_fresh_and_works():
    env = GymEnv("InvertedPendulum-v5")
    env.reset(seed=0)
    twin = copy_env(env)
    assert twin.reset(seed=0)[0].tobytes() == env.reset(seed=0)[0].tobytes()


def test_what_cannot_be_copied_is_named():
    env = PointEnv()
    env.lock = threading.Lock()
    with pytest.raises(TypeError, match=r"PointEnv cannot be copied.*pickle.*lock"):
        copy_env(env)


class Forwards(gymnasium.Wrapper):
    """Answers for every name that it lacks."""

    def __getattr__(self, name):
        return getattr(self.env, name)


@pytest.mark.parametrize("copied", [copy_env, copy_exactly])
def test_wrapper_that_forwards_names_is_copied_with_what_it_wraps(copied):
    env = GymEnv(Forwards(gymnasium.wrappers.TimeLimit(Forwards(gymnasium.make("CartPole-v1")), 9)))
    env.reset(seed=1)
    env.step(1)
    twin = copied(env)
    ours, theirs = layers_of(env), layers_of(twin)
    assert [type(layer) for layer in ours] == [type(layer) for layer in theirs]
    assert not any(a is b for a, b in zip(ours, theirs, strict=True))
    assert theirs[-1].state.tolist() == ours[-1].state.tolist()
    assert theirs[2]._elapsed_steps == ours[2]._elapsed_steps == 1
