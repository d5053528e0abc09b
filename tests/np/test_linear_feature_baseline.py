import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.np.time_features import step_numbers


def test_steps_are_counted_within_each_episode(make_episodes):
    assert_array_equal(step_numbers(make_episodes(3, 1, 2)), [0, 1, 2, 0, 0, 1])


def test_an_unfitted_baseline_says_0(discrete_spec, make_episodes):
    values, last_values = LinearFeatureBaseline(discrete_spec).predict(make_episodes(3, 2))
    assert_array_equal(values, np.zeros(5))
    assert_array_equal(last_values, np.zeros(2))


def test_returns_that_are_linear_in_the_features_are_learned(discrete_spec, make_episodes):
    episodes = make_episodes(150, 90, 60)
    time = step_numbers(episodes) / 100.0
    one, two, three = episodes.observations.T.astype(float)
    returns = 5.0 + 2.0 * one - 3.0 * two**2 + three + 4.0 * time - time**3
    baseline = LinearFeatureBaseline(discrete_spec)
    baseline.fit(episodes, returns)
    values, last_values = baseline.predict(episodes)
    assert_allclose(values, returns, atol=1e-3)
    one, two, three = episodes.last_observations.T.astype(float)
    time = np.array([1.5, 0.9, 0.6])
    expected = 5.0 + 2.0 * one - 3.0 * two**2 + three + 4.0 * time - time**3
    assert_allclose(last_values, expected, atol=1e-3)


def test_a_ridge_keeps_coefficients_small(discrete_spec, make_episodes):
    episodes = make_episodes(20)
    baseline = LinearFeatureBaseline(discrete_spec, reg_coeff=1e9)
    baseline.fit(episodes, np.ones(20))
    assert np.abs(baseline.get_param_values()).max() < 1e-6


def test_returns_that_are_not_finite_are_refused(discrete_spec, make_episodes):
    baseline = LinearFeatureBaseline(discrete_spec)
    with pytest.raises(ValueError, match="observations or returns are not finite"):
        baseline.fit(make_episodes(3), np.array([1.0, np.nan, 2.0]))


def test_a_pickled_baseline_goes_on_the_same(discrete_spec, make_episodes):
    episodes = make_episodes(30, 4)
    baseline = LinearFeatureBaseline(discrete_spec)
    baseline.fit(episodes, np.arange(34.0))
    twin = cloudpickle.loads(cloudpickle.dumps(baseline))
    assert_array_equal(twin.predict(episodes)[0], baseline.predict(episodes)[0])


def test_parameters_come_and_go_as_one_vector(discrete_spec, make_episodes):
    episodes = make_episodes(30)
    baseline, other = LinearFeatureBaseline(discrete_spec), LinearFeatureBaseline(discrete_spec)
    baseline.fit(episodes, np.arange(30.0))
    other.set_param_values(baseline.get_param_values())
    assert_array_equal(other.predict(episodes)[0], baseline.predict(episodes)[0])


def test_the_wrong_number_of_parameters_is_refused(discrete_spec):
    with pytest.raises(ValueError, match=r"expected a vector of 10 numbers, got shape \(3,\)"):
        LinearFeatureBaseline(discrete_spec).set_param_values(np.zeros(3))


def test_a_negative_ridge_is_refused(discrete_spec):
    with pytest.raises(ValueError, match=r"reg_coeff must not be negative, got -1\.0"):
        LinearFeatureBaseline(discrete_spec, reg_coeff=-1.0)
