import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.algos.relative_entropy import DualFunction, divergence


@pytest.fixture
def dual():
    rng = np.random.default_rng(0)
    return DualFunction(rng.normal(size=200), rng.normal(size=(200, 3)), 0.3, 0.01)


def test_dual_of_two_steps_worked_by_hand():
    # Rewards 0 and log 3 at eta = 1: log mean exp = log 2, and the second step weighs 3/4.
    dual = DualFunction(np.array([0.0, np.log(3.0)]), np.array([[1.0], [-1.0]]), 0.5)
    value, slope, gradient = dual(1.0, np.zeros(1))
    assert_allclose(value, 0.5 + np.log(2.0))
    assert_allclose(slope, 0.5 + np.log(2.0) - 0.75 * np.log(3.0))
    assert_allclose(gradient, [0.25 - 0.75])


def test_gradients_of_the_dual_are_those_of_its_values(dual):
    eta, v, h = 0.7, np.array([0.2, -0.1, 0.4]), 1e-6
    _, slope, gradient = dual(eta, v)
    assert_allclose(slope, (dual(eta + h, v)[0] - dual(eta - h, v)[0]) / (2 * h), rtol=1e-5)
    for k, step in enumerate(np.eye(3) * h):
        expected = (dual(eta, v + step)[0] - dual(eta, v - step)[0]) / (2 * h)
        assert_allclose(gradient[k], expected, rtol=1e-5)


def test_at_the_minimum_weighted_steps_are_as_far_from_those_sampled_as_they_may():
    rng = np.random.default_rng(0)
    dual = DualFunction(rng.normal(size=500), rng.normal(size=(500, 3)), 0.3)
    eta, v, value = dual.minimise(1.0, np.zeros(3))
    weights = dual.weights(eta, v)
    assert_allclose(weights.mean(), 1.0)
    assert_allclose(divergence(weights), 0.3, rtol=1e-2)
    # Features of weighted steps flow in as they flow out.
    assert_allclose(weights @ dual.feature_differences / 500, 0.0, atol=1e-3)
    assert value < dual(1.0, np.zeros(3))[0]


def test_large_rewards_do_not_overflow():
    dual = DualFunction(np.array([1e6, -1e6, 0.0]), np.zeros((3, 1)), 0.5)
    assert np.isfinite(dual(1e-3, np.zeros(1))[0])
    assert_allclose(dual.weights(1e-3, np.zeros(1)), [3.0, 0.0, 0.0])


def test_rewards_that_are_not_finite_are_refused():
    dual = DualFunction(np.array([1.0, np.nan]), np.zeros((2, 1)), 0.5)
    with pytest.raises(ValueError, match="dual function has no finite minimum"):
        dual.minimise(1.0, np.zeros(1))


def test_divergence_of_equal_weights_is_nothing():
    assert divergence(np.ones(4)) == 0.0
    assert_allclose(divergence(np.array([2.0, 0.0])), np.log(2.0))
