"""Environments go on in the middle of an episode, bit for bit."""

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import (
    FrameStackObservation,
    NormalizeObservation,
    NormalizeReward,
    RecordEpisodeStatistics,
    TimeAwareObservation,
    TimeLimit,
)

from garage_like.envs import GymEnv
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.rng import global_rng_untouched

CLASSIC = [
    "Acrobot-v1", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1",
]  # fmt: skip
TOY_TEXT = ["Blackjack-v1", "CliffWalking-v1", "FrozenLake-v1", "Taxi-v4"]
MUJOCO = [
    "Ant-v5", "HalfCheetah-v5", "Hopper-v5", "Humanoid-v5", "HumanoidStandup-v5",
    "InvertedDoublePendulum-v5", "InvertedPendulum-v5", "Pusher-v5", "Reacher-v5", "Swimmer-v5",
    "Walker2d-v5",
]  # fmt: skip
STEPS_COMPARED = 300


def rollout(env, actions):
    """Step with given actions, resetting where an episode ends; return all that was seen."""
    seen = []
    for action in actions:
        observation, reward, terminated, truncated, _ = env.step(action)
        seen.append((np.asarray(observation).tobytes(), np.float64(reward).tobytes(), terminated))
        if terminated or truncated:
            seen.append(np.asarray(env.reset()[0]).tobytes())
    return seen


def began(env, steps, seed=3):
    """Return an environment that has gone so many steps."""
    env.reset(seed=seed)
    env.action_space.seed(seed)
    rollout(env, (env.action_space.sample() for _ in range(steps)))
    return env


def right_after_an_end(env):
    env.reset(seed=5)
    env.action_space.seed(5)
    for _ in range(2000):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            return env
    raise AssertionError("the episode did not end")


def assert_continues(env, steps=STEPS_COMPARED):
    twin = copy_exactly(env)
    assert leaves({"env": twin}) == leaves({"env": env})
    actions = [env.action_space.sample() for _ in range(steps)]
    assert np.array_equal([twin.action_space.sample() for _ in range(steps)], actions)
    assert rollout(twin, actions) == rollout(env, actions)


@pytest.mark.parametrize("steps", [0, 1, 211])
@pytest.mark.parametrize("env_id", CLASSIC + TOY_TEXT)
def test_copy_continues_bit_for_bit(env_id, steps):
    assert_continues(began(gymnasium.make(env_id), steps))


@pytest.mark.parametrize(
    "steps", [137, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 1, 64, 500))]
)
@pytest.mark.parametrize("env_id", MUJOCO)
def test_copy_of_mujoco_environment_continues_bit_for_bit(env_id, steps):
    assert_continues(began(gymnasium.make(env_id), steps))


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake-v1", "Hopper-v5", "Humanoid-v5"])
def test_copy_taken_right_after_an_end_goes_on_to_the_next_episode(env_id):
    env = right_after_an_end(gymnasium.make(env_id))
    twin = copy_exactly(env)
    actions = [env.action_space.sample() for _ in range(100)]
    assert np.array_equal(env.reset()[0], twin.reset()[0])
    assert rollout(twin, actions) == rollout(env, actions)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Ant-v5"])
def test_copy_of_a_copy_continues_bit_for_bit(env_id):
    assert_continues(began(copy_exactly(began(gymnasium.make(env_id), 30)), 20))


WRAPPED = {
    "time limit": lambda env: TimeLimit(env, 40),
    "statistics": lambda env: RecordEpisodeStatistics(TimeLimit(env, 40)),
    "normalised": lambda env: NormalizeReward(NormalizeObservation(TimeLimit(env, 40))),
    "frames": lambda env: FrameStackObservation(TimeLimit(env, 40), 3),
    "chain": lambda env: FrameStackObservation(
        NormalizeObservation(RecordEpisodeStatistics(TimeAwareObservation(TimeLimit(env, 40)))), 2
    ),
}


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("env_id", ["Pendulum-v1", "HalfCheetah-v5"])
def test_copy_of_wrapped_environment_continues_bit_for_bit(env_id, wrap):
    assert_continues(began(WRAPPED[wrap](gymnasium.make(env_id).unwrapped), 55))


def test_physics_that_was_changed_stays_changed():
    env = began(gymnasium.make("Hopper-v5"), 3)
    env.unwrapped.model.body_mass[1] *= 2
    twin = copy_exactly(env)
    assert twin.unwrapped.model.body_mass[1] == env.unwrapped.model.body_mass[1]
    assert_continues(env)


def test_simulation_stays_one_object():
    env = copy_exactly(began(gymnasium.make("Hopper-v5"), 3)).unwrapped
    assert env.mujoco_renderer.data is env.data
    assert env.mujoco_renderer.model is env.model
    env.model.opt.gravity[2] = -1.0
    assert env.data.model.opt.gravity[2] == -1.0


def test_copy_and_original_share_nothing():
    env = began(gymnasium.make("HalfCheetah-v5"), 5)
    expected = leaves({"env": env})
    rollout(copy_exactly(env), [env.action_space.high] * 10)
    assert leaves({"env": env}) == expected


def test_gym_env_in_mid_episode_goes_on():
    env = GymEnv("HalfCheetah-v5", max_episode_length=30)
    env.reset(seed=1)
    for _ in range(12):
        env.step(env.action_space.sample())
    twin = copy_exactly(env)
    for _ in range(18):
        ours, theirs = env.step(env.action_space.sample()), twin.step(twin.action_space.sample())
        assert np.array_equal(ours.observation, theirs.observation)
        assert ours.step_type == theirs.step_type
    assert twin.needs_reset


class Window:
    """Something that cannot be pickled, as pygame's surfaces cannot."""

    def __reduce__(self):
        raise TypeError("cannot pickle 'pygame.surface.Surface' object")


Window.__module__ = "pygame.surface"


def test_windows_are_left_behind():
    env = began(gymnasium.make("CartPole-v1"), 9)
    env.unwrapped.screen = Window()
    twin = copy_exactly(env)
    assert twin.unwrapped.screen is None
    actions = [1, 0] * 20
    assert rollout(twin, actions) == rollout(env, actions)


def test_viewers_of_a_simulation_are_left_behind():
    env = began(gymnasium.make("Hopper-v5"), 9)
    renderer = env.unwrapped.mujoco_renderer
    renderer.viewer = renderer._viewers["rgb_array"] = Window()
    twin = copy_exactly(env)
    assert twin.unwrapped.mujoco_renderer.viewer is None
    assert twin.unwrapped.mujoco_renderer._viewers == {}
    assert renderer._viewers, "the original keeps its own"
    renderer.viewer, renderer._viewers = None, {}


def test_copying_draws_no_random_numbers():
    with global_rng_untouched():
        env = began(gymnasium.make("Pendulum-v1"), 5)
        before = leaves({"env": env})
        copy_exactly(env)
        assert leaves({"env": env}) == before
