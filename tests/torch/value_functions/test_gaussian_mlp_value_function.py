import cloudpickle
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.value_functions import GaussianMLPValueFunction


@pytest.fixture
def episodes(discrete_spec, make_episodes):
    return make_episodes(discrete_spec, 30, 1, 19)


def test_values_are_those_of_observations_and_last_observations(discrete_spec, episodes):
    value_function = GaussianMLPValueFunction(discrete_spec)
    values, last_values = value_function.predict(episodes)
    with torch.no_grad():
        expected = value_function(torch.from_numpy(episodes.observations))
        last_expected = value_function(torch.from_numpy(episodes.last_observations))
    assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
    assert_allclose(last_values, last_expected, rtol=1e-5, atol=1e-6)


def test_the_loss_is_the_negative_log_likelihood(discrete_spec, episodes):
    value_function = GaussianMLPValueFunction(discrete_spec, init_std=0.5)
    observations, returns = torch.from_numpy(episodes.observations), torch.linspace(-2, 2, 50)
    values = value_function(observations)
    expected = -torch.distributions.Normal(values, 0.5).log_prob(returns).mean()
    torch.testing.assert_close(value_function.compute_loss(observations, returns), expected)


def test_a_fixed_deviation_is_no_parameter(discrete_spec):
    learned = dict(GaussianMLPValueFunction(discrete_spec).named_parameters())
    fixed = dict(GaussianMLPValueFunction(discrete_spec, learn_std=False).named_parameters())
    assert learned.keys() - fixed.keys() == {"log_std"}


def test_fitting_brings_values_to_returns(discrete_spec, episodes):
    value_function = GaussianMLPValueFunction(discrete_spec)
    returns = 3.0 * episodes.observations[:, 0] - 1.0
    optimizer = OptimizerWrapper((torch.optim.Adam, {"lr": 0.01}), value_function, 300, 25)
    value_function.fit(episodes, returns, optimizer)
    assert np.abs(value_function.predict(episodes)[0] - returns).mean() < 0.2


def test_fitting_needs_no_optimizer_and_goes_on_the_same_once_pickled(discrete_spec, episodes):
    value_function = GaussianMLPValueFunction(discrete_spec)
    returns = np.linspace(0, 1, 50)
    before = value_function.predict(episodes)[0]
    value_function.fit(episodes, returns)
    twin = cloudpickle.loads(cloudpickle.dumps(value_function))
    for each in (value_function, twin):
        each.fit(episodes, returns)
    assert not np.array_equal(value_function.predict(episodes)[0], before)
    assert_array_equal(value_function.predict(episodes)[0], twin.predict(episodes)[0])


def test_a_deviation_of_0_is_refused(discrete_spec):
    with pytest.raises(ValueError, match="init_std must be positive, got 0"):
        GaussianMLPValueFunction(discrete_spec, init_std=0)
