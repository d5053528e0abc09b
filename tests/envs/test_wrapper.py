import copy

import gymnasium
import pytest

from garage_like.envs import GridWorldEnv, GymEnv, PointEnv, Wrapper


def test_passes_everything_on():
    env = GridWorldEnv("chain", max_episode_length=5)
    wrapped = Wrapper(env)
    assert wrapped.spec is env.spec
    assert wrapped.action_space is env.action_space
    assert wrapped.observation_space is env.observation_space
    assert wrapped.reset()[0] == 5
    assert wrapped.step(2).observation == 6
    assert "[.]" in wrapped.render("ansi")


def test_finds_attributes_of_what_it_wraps():
    assert len(Wrapper(Wrapper(PointEnv())).sample_tasks(3)) == 3


def test_unwrapped_is_the_innermost_environment():
    env = PointEnv()
    assert Wrapper(Wrapper(env)).unwrapped is env


def test_needs_reset_is_that_of_the_innermost_environment():
    env = PointEnv()
    wrapped = Wrapper(Wrapper(env))
    wrapped.reset()
    assert not wrapped.needs_reset
    env.needs_reset = True
    assert wrapped.needs_reset
    wrapped.needs_reset = False
    assert not env.needs_reset


def test_missing_attributes_are_an_error_and_copies_work():
    wrapped = copy.deepcopy(Wrapper(GymEnv("CartPole-v1")))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = wrapped.nonsense
    with pytest.raises(AttributeError, match="'Wrapper' object has no attribute '_nonsense'"):
        _ = wrapped._nonsense


def test_closes_what_it_wraps():
    class Closing(PointEnv):
        closed = False

        def close(self):
            self.closed = True

    env = Closing()
    Wrapper(env).close()
    assert env.closed


def test_refuses_what_is_no_environment():
    with pytest.raises(TypeError, match=r"Wrapper: env must be an Env.*GymEnv first"):
        Wrapper(gymnasium.make("CartPole-v1"))
