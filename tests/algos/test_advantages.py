import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.algos.advantages import (
    bootstrap_values,
    discount_cumsum,
    explained_variance,
    generalized_advantage_estimate,
)
from garage_like.data.batches import StepType

FIRST, MID, TERMINAL, TIMEOUT = StepType


def test_returns_of_two_episodes_worked_by_hand():
    returns = discount_cumsum(
        np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([3, 2]), 0.5, np.array([8.0, 0.0])
    )
    # 3 + 8/2 = 7, 2 + 7/2 = 5.5, 1 + 5.5/2 = 3.75; then 5, 4 + 5/2 = 6.5.
    assert_array_equal(returns, [3.75, 5.5, 7.0, 6.5, 5.0])


def test_returns_do_not_change_the_rewards():
    rewards = np.array([1.0, 1.0])
    discount_cumsum(rewards, np.array([2]), 0.5, np.array([0.0]))
    assert_array_equal(rewards, [1.0, 1.0])


def test_advantages_of_two_episodes_worked_by_hand():
    advantages = generalized_advantage_estimate(
        rewards=np.array([1.0, 2.0, 4.0]),
        values=np.array([10.0, 20.0, 1.0]),
        last_values=np.array([40.0, 0.0]),
        lengths=np.array([2, 1]),
        discount=0.5,
        gae_lambda=0.5,
    )
    # Deltas: 1 + 20/2 - 10 = 1, 2 + 40/2 - 20 = 2; then 4 + 0 - 1 = 3. First: 1 + 2/4.
    assert_array_equal(advantages, [1.5, 2.0, 3.0])


@pytest.fixture
def ragged():
    rng = np.random.default_rng(0)
    return {
        "rewards": rng.normal(size=9),
        "values": rng.normal(size=9).astype(np.float32),
        "last_values": rng.normal(size=3),
        "lengths": np.array([1, 5, 3]),
    }


def test_lambda_one_gives_returns_less_values(ragged):
    advantages = generalized_advantage_estimate(**ragged, discount=0.9, gae_lambda=1.0)
    returns = discount_cumsum(ragged["rewards"], ragged["lengths"], 0.9, ragged["last_values"])
    assert_allclose(advantages, returns - ragged["values"], rtol=1e-12)


def test_lambda_zero_gives_one_step_errors(ragged):
    advantages = generalized_advantage_estimate(**ragged, discount=0.9, gae_lambda=0.0)
    values, last = ragged["values"].astype(float), ragged["last_values"]
    following = np.array([last[0], *values[2:6], last[1], *values[7:9], last[2]])
    assert_allclose(advantages, ragged["rewards"] + 0.9 * following - values, rtol=1e-12)


def test_only_termination_leaves_nothing_to_follow(make_episodes):
    episodes = make_episodes([[1.0], [1.0], [1.0, 1.0], [1.0]], [TERMINAL, TIMEOUT, MID, FIRST])
    following = bootstrap_values(episodes, np.array([5.0, 6.0, 7.0, 8.0]))
    assert_array_equal(following, [0.0, 6.0, 7.0, 8.0])


def test_a_perfect_baseline_explains_all_variance():
    assert explained_variance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])) == 1.0


def test_a_constant_baseline_explains_nothing():
    assert explained_variance(np.array([1.0, 2.0, 3.0]), np.array([7.0, 7.0, 7.0])) == 0.0


def test_a_baseline_that_points_the_wrong_way_explains_less_than_nothing():
    assert explained_variance(np.array([-1.0, 1.0]), np.array([1.0, -1.0])) == -3.0


@pytest.mark.parametrize(("values", "explained"), [([5.0, 5.0], 1.0), ([5.0, 6.0], 0.0)])
def test_returns_that_do_not_vary_are_explained_or_not(values, explained):
    assert explained_variance(np.array([2.0, 2.0]), np.array(values)) == explained
