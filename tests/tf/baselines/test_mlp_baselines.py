import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from garage_like.tf.baselines import ContinuousMLPBaseline, GaussianMLPBaseline, MLPBaseline
from garage_like.tf.optimizers import Adam, LBFGSOptimizer, OptimizerWrapper

CLASSES = [GaussianMLPBaseline, ContinuousMLPBaseline]


@pytest.fixture
def episodes(discrete_spec, make_episodes):
    return make_episodes(discrete_spec, 30, 1, 19)


@pytest.fixture(params=CLASSES)
def baseline(request, discrete_spec):
    return request.param(discrete_spec)


def test_values_are_those_of_observations_and_last_observations(baseline, episodes):
    values, last_values = baseline.predict(episodes)
    assert_allclose(values, baseline(episodes.observations), rtol=1e-5, atol=1e-6)
    assert_allclose(last_values, baseline(episodes.last_observations), rtol=1e-5, atol=1e-6)


def test_the_gaussian_loss_is_the_negative_log_likelihood(discrete_spec, episodes):
    baseline = GaussianMLPBaseline(discrete_spec, init_std=0.5)
    returns = np.linspace(-2, 2, 50, dtype=np.float32)
    values = baseline(episodes.observations).numpy()
    expected = -stats.norm.logpdf(returns, values, 0.5).mean()
    assert_allclose(baseline.compute_loss(episodes.observations, returns), expected, rtol=1e-5)


def test_the_continuous_loss_is_the_mean_squared_error(discrete_spec, episodes):
    baseline = ContinuousMLPBaseline(discrete_spec)
    returns = np.linspace(-2, 2, 50, dtype=np.float32)
    expected = np.square(returns - baseline(episodes.observations).numpy()).mean()
    assert_allclose(baseline.compute_loss(episodes.observations, returns), expected, rtol=1e-5)


def test_a_fixed_deviation_is_no_parameter(discrete_spec):
    learned, fixed = (
        GaussianMLPBaseline(discrete_spec, learn_std=learn) for learn in (True, False)
    )
    assert len(learned.trainable_variables) - len(fixed.trainable_variables) == 1


def adam(baseline):
    return OptimizerWrapper((Adam, {"lr": 0.01}), baseline, 300, 25)


def lbfgs(baseline):
    return LBFGSOptimizer(baseline, 100)


@pytest.mark.parametrize("make", [adam, lbfgs])
def test_fitting_brings_values_to_returns(baseline, episodes, make):
    returns = 3.0 * episodes.observations[:, 0] - 1.0
    baseline.fit(episodes, returns, make(baseline))
    assert np.abs(baseline.predict(episodes)[0] - returns).mean() < 0.2


def test_fitting_needs_no_optimizer_and_goes_on_the_same_once_pickled(baseline, episodes):
    returns = np.linspace(0, 1, 50)
    before = baseline.predict(episodes)[0]
    baseline.fit(episodes, returns)
    twin = cloudpickle.loads(cloudpickle.dumps(baseline))
    for each in (baseline, twin):
        each.fit(episodes, returns)
    assert not np.array_equal(baseline.predict(episodes)[0], before)
    assert_array_equal(baseline.predict(episodes)[0], twin.predict(episodes)[0])


def test_a_deviation_of_0_is_refused(discrete_spec):
    with pytest.raises(ValueError, match="init_std must be positive, got 0"):
        GaussianMLPBaseline(discrete_spec, init_std=0)


def test_a_loss_must_be_implemented(discrete_spec):
    with pytest.raises(NotImplementedError, match="MLPBaseline must implement compute_loss"):
        MLPBaseline(discrete_spec).compute_loss(None, None)
