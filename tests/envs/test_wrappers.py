"""Wrappers of Atari games and images: what they show, and when an episode ends."""

from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from garage_like.envs import GymEnv
from garage_like.envs.wrappers import (
    ClipReward,
    EpisodicLife,
    FireReset,
    Grayscale,
    MaxAndSkip,
    Noop,
    PixelObservationWrapper,
    Resize,
    StackFrames,
)


class Game(gymnasium.Env):
    """A game of three lives of five frames each; frame n is n times as bright as the first."""

    observation_space = spaces.Box(0, 255, (6, 8, 3), np.uint8)
    action_space = spaces.Discrete(2)
    render_mode = "rgb_array"

    def __init__(self):
        self.frame, self.games, self.fired = 0, 0, 0
        self.ale = SimpleNamespace(lives=lambda: 3 - self.frame // 5)

    def get_action_meanings(self):
        return ["NOOP", "FIRE"]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.frame, self.games = 0, self.games + 1
        return self.render(), {}

    def step(self, action):
        self.frame += 1
        self.fired += action
        return self.render(), 7.0, self.frame == 15, False, {}

    def render(self):
        return np.full((6, 8, 3), 10 * self.frame, np.uint8)


def test_each_life_is_an_episode_and_the_game_goes_on():
    env = EpisodicLife(Game())
    lengths = []
    for _ in range(3):
        env.reset()
        steps = 1
        while not env.step(0)[2]:
            steps += 1
        lengths.append(steps)
    assert lengths == [5, 4, 4]  # a step begins the next life
    assert env.unwrapped.games == 1
    env.reset()
    assert env.unwrapped.games == 2


def test_frames_are_skipped_and_the_brighter_is_seen():
    env = MaxAndSkip(Game(), skip=4)
    env.reset()
    observation, reward, *_ = env.step(0)
    assert (observation.max(), reward) == (40, 28.0)
    assert ClipReward(env).step(0)[1] == 1.0


def test_games_begin_by_a_button_or_by_doing_nothing():
    fired = FireReset(Game())
    fired.reset()
    assert fired.unwrapped.fired == 1
    waited = Noop(Game(), noop_max=4)
    frames = set()
    waited.reset(seed=1)
    for _ in range(30):
        waited.reset()
        frames.add(waited.unwrapped.frame)
    assert frames == {1, 2, 3, 4}


@pytest.mark.parametrize(("axis", "shape"), [(0, (3, 4, 5)), (2, (4, 5, 3))])
def test_small_gray_images_are_stacked(axis, shape):
    env = GymEnv(StackFrames(Resize(Grayscale(Game()), 5, 4), 3, axis), is_image=True)
    assert env.observation_space.shape == shape
    first = env.reset()[0]
    env.step(0)
    second = env.step(0).observation
    assert first.max() == 0
    assert np.moveaxis(second, axis, 0)[:, 0, 0].tolist() == [0, 10, 20]


def test_resizing_weighs_neighbours():
    env = Resize(Grayscale(Game()), 4, 3)
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    blocks = image.reshape(3, 2, 4, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(env.observation(image), np.round(blocks).astype(np.uint8))


def test_pictures_are_observations():
    env = PixelObservationWrapper(Game())
    assert env.reset()[0].shape == env.observation_space.shape == (6, 8, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StackFrames(Game(), 3), "images of 2 dimensions"),
        (lambda: StackFrames(Grayscale(Game()), 3, axis=1), "axis must be 0 or 2, got 1"),
        (lambda: Grayscale(Grayscale(Game())), "images of 3 dimensions"),
        (lambda: MaxAndSkip(Game(), skip=0), "skip must be at least 1, got 0"),
        (lambda: Noop(Game(), noop_max=0), "noop_max must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Judge(Game):
    """A game whose class has a method of its own, and what tells of a state."""

    def compute_reward(self, achieved, desired, info):
        return achieved - desired

    def get_state(self):
        raise NotImplementedError


def test_methods_of_the_environment_itself_are_reached():
    env = GymEnv(Judge(), is_image=True)
    assert env.compute_reward(3, 1, {}) == 2
    for name in ("get_state", "frame", "unheard_of", "_private", "unwrapped"):
        assert not hasattr(env, name)
