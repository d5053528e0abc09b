import numpy as np
from numpy.testing import assert_array_equal

from garage_like.data.batches import StepType
from garage_like.np.time_features import feature_differences, time_features


def test_nothing_follows_termination(make_episodes):
    episodes = make_episodes(2, 3)
    episodes.step_types[:] = [0, StepType.TERMINAL, 0, 1, StepType.TIMEOUT]
    differences = feature_differences(episodes)
    space = episodes.env_spec.observation_space
    before = time_features(space, episodes.observations, np.array([0, 1, 0, 1, 2]))
    after = time_features(space, episodes.next_observations, np.array([1, 2, 1, 2, 3]))
    assert_array_equal(differences[1], -before[1])
    keep = [0, 2, 3, 4]
    assert_array_equal(differences[keep], after[keep] - before[keep])
