import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.algos.rl2 import RL2AdaptedPolicy, join_trials, returns_within_trials
from garage_like.data.batches import StepType

FIRST, MID, TERMINAL, TIMEOUT = StepType


@pytest.fixture
def episodes(make_episodes):
    """Two trials of two episodes."""
    made = make_episodes([[1, 2], [3], [4], [5, 6]], [TERMINAL, TIMEOUT, TIMEOUT, TERMINAL])
    numbers = {"EpisodeOfTrial": np.array([0, 1, 0, 1]), "goal": np.arange(4)}
    return dataclasses.replace(made, episode_infos_by_episode=numbers)


def test_a_trial_goes_on_where_its_episodes_end(episodes):
    trials = join_trials(episodes)
    assert trials.lengths.tolist() == [3, 3]
    assert trials.step_types.tolist() == [FIRST, MID, TIMEOUT, MID, FIRST, TERMINAL]
    assert_array_equal(trials.last_observations, episodes.last_observations[[1, 3]])
    assert_array_equal(trials.rewards, episodes.rewards)
    assert trials.episode_infos_by_episode["goal"].tolist() == [0, 2]
    # What follows an episode's last action is the first observation of the next one.
    assert_array_equal(trials.next_observations[1], episodes.observations[2])


def test_joining_leaves_the_episodes_alone(episodes):
    before = episodes.step_types.copy()
    join_trials(episodes)
    assert_array_equal(episodes.step_types, before)


def test_returns_tell_the_first_episodes_from_the_second(episodes):
    assert returns_within_trials(episodes) == [(3 + 4) / 2, (3 + 11) / 2]


def test_episodes_without_trials_are_refused(make_episodes):
    with pytest.raises(ValueError, match="episodes must be those of whole trials"):
        join_trials(make_episodes([[1, 2]], [TERMINAL]))


class Draws:
    """A policy that remembers one number, and whose actions are what it draws."""

    memory_dim = 1

    def actor(self):
        return self

    def remember(self, memory):
        pass

    def note(self, actions):
        pass

    def act(self, observations, rng):
        return rng.random(len(observations)), {}


def test_an_adapted_policy_draws_anew_at_each_step():
    policy = RL2AdaptedPolicy(Draws(), np.zeros(1))
    drawn = [policy.get_action(np.zeros(2))[0] for _ in range(4)]
    assert len(set(drawn)) == 4
