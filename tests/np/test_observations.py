import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_array_equal

from garage_like.np.observations import flatten_observations


def test_rows_of_a_box_become_float32():
    rows = flatten_observations(spaces.Box(-1, 1, (2, 3)), np.arange(12.0).reshape(2, 2, 3))
    assert rows.dtype == np.float32
    assert_array_equal(rows, np.arange(12.0).reshape(2, 6))


def test_float32_rows_are_not_copied():
    rows = np.zeros((2, 3), np.float32)
    assert flatten_observations(spaces.Box(-1, 1, (3,)), rows) is rows


def test_discrete_observations_become_one_hot():
    rows = flatten_observations(spaces.Discrete(3, start=5), np.array([7, 5]))
    assert_array_equal(rows, [[0, 0, 1], [1, 0, 0]])


def test_each_part_of_a_multi_discrete_observation_becomes_one_hot():
    rows = flatten_observations(spaces.MultiDiscrete([2, 3]), np.array([[1, 2], [0, 0]]))
    assert_array_equal(rows, [[0, 1, 0, 0, 1], [1, 0, 1, 0, 0]])


def test_a_flat_row_has_the_length_that_the_space_says():
    space = spaces.MultiDiscrete([2, 3])
    rows = flatten_observations(space, np.array([space.sample()]))
    assert rows.shape == (1, spaces.flatdim(space))


def test_an_observation_outside_its_space_is_refused():
    with pytest.raises(ValueError, match="must lie in a discrete space of 3 values"):
        flatten_observations(spaces.Discrete(3), np.array([3]))
