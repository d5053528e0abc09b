"""UniformRandomPolicy."""

import numpy as np
import pytest
from gymnasium import spaces

from garage_like.algos.uniform_random_policy import UniformRandomPolicy
from garage_like.data.env_spec import EnvSpec

OBSERVATION = spaces.Box(-1, 1, (2,), np.float32)


def actions(space: spaces.Space, count: int = 2000) -> np.ndarray:
    policy = UniformRandomPolicy(EnvSpec(OBSERVATION, space))
    observations = np.zeros((count, 2), np.float32)
    drawn, infos = policy.actor().act(observations, np.random.default_rng(0))
    assert infos == {}
    return drawn


def test_discrete_actions_are_equally_frequent():
    drawn = actions(spaces.Discrete(4, start=3))
    assert np.bincount(drawn, minlength=7)[:3].sum() == 0
    assert np.abs(np.bincount(drawn)[3:] - 500).max() < 80


def test_box_is_filled_from_end_to_end():
    space = spaces.Box(np.array([-3.0, 1.0]), np.array([-1.0, 5.0]), dtype=np.float64)
    drawn = actions(space)
    assert drawn.dtype == np.float64
    assert (drawn >= space.low).all()
    assert (drawn <= space.high).all()
    assert np.allclose(drawn.mean(axis=0), [-2.0, 3.0], atol=0.1)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int32])
def test_each_integer_of_a_box_is_equally_frequent(dtype):
    low = 0 if dtype is np.uint8 else -2
    drawn = actions(spaces.Box(low, low + 3, (1,), dtype))
    assert drawn.dtype == dtype
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == list(range(low, low + 4))
    assert np.abs(counts - 500).max() < 80


def test_box_without_bounds_is_drawn_from_a_normal_distribution():
    low, high = np.array([-np.inf, 0.0, 0.0]), np.array([np.inf, np.inf, 1.0])
    drawn = actions(spaces.Box(low, high, dtype=np.float64))
    assert drawn[:, 0].std() == pytest.approx(1.0, abs=0.1)
    assert (drawn[:, 1] >= 0.0).all()
    assert drawn[:, 2].mean() == pytest.approx(0.5, abs=0.05)


def test_one_action_has_the_shape_of_the_space():
    policy = UniformRandomPolicy(EnvSpec(OBSERVATION, spaces.Box(-1, 1, (2, 3))))
    action, infos = policy.get_action(np.zeros(2))
    assert action.shape == (2, 3)
    assert infos == {}


def test_other_spaces_are_refused():
    with pytest.raises(ValueError, match="needs a Discrete or Box action space"):
        UniformRandomPolicy(EnvSpec(OBSERVATION, spaces.MultiBinary(3)))
