import cloudpickle
import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.data.env_spec import EnvSpec
from garage_like.tf.baselines import (
    ContinuousMLPBaseline,
    GaussianCNNBaseline,
    GaussianMLPBaseline,
    MLPBaseline,
)
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
    stats = pytest.importorskip("scipy.stats")
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


def test_inputs_and_outputs_are_scaled_by_the_last_batch(discrete_spec, episodes):
    baseline = GaussianMLPBaseline(discrete_spec, normalize_inputs=True, normalize_outputs=True)
    returns = 1e4 + 1e3 * episodes.observations[:, 0]
    baseline.fit(episodes, returns)
    np.testing.assert_allclose(baseline.output_mean, returns.mean(), rtol=1e-5)
    np.testing.assert_allclose(baseline.input_std, episodes.observations.std(axis=0), rtol=1e-4)
    assert abs(baseline.predict(episodes)[0].mean() - 1e4) < 3e3  # else it would be about 0


def test_a_trust_region_is_kept_and_its_penalty_goes_on(discrete_spec, episodes):
    baseline = GaussianMLPBaseline(discrete_spec, use_trust_region=True, max_kl_step=0.02)
    returns = 30.0 * episodes.observations[:, 0]
    observations = episodes.observations.astype(np.float32)
    for _ in range(3):
        old = baseline._distribution(observations)
        before = baseline.compute_loss(observations, returns.astype(np.float32)).numpy()
        baseline.fit(episodes, returns)
        kl = old.kl_divergence(baseline._distribution(observations)).numpy().mean()
        assert 0.0 < kl <= 0.02
        assert baseline.compute_loss(observations, returns.astype(np.float32)) < before
    assert baseline._optimizer._penalty > 1.0
    twin = cloudpickle.loads(cloudpickle.dumps(baseline))
    for each in (baseline, twin):
        each.fit(episodes, returns)
    assert_array_equal(baseline.predict(episodes)[0], twin.predict(episodes)[0])


@pytest.mark.parametrize("shares", [True, False])
def test_a_deviation_may_depend_on_the_observation(discrete_spec, episodes, shares):
    baseline = GaussianMLPBaseline(discrete_spec, adaptive_std=True, std_share_network=shares)
    noise = np.random.default_rng(0).normal(size=50) * np.exp(2.0 * episodes.observations[:, 0])
    baseline.fit(episodes, noise, lbfgs(baseline))
    deviations = baseline._distribution(episodes.observations).log_std.numpy()[:, 0]
    assert np.corrcoef(deviations, episodes.observations[:, 0])[0, 1] > 0.5


def test_an_optimizer_is_named_by_its_class_and_arguments(discrete_spec):
    options = {"learning_rate": 0.125, "max_optimization_epochs": 3, "batch_size": 7}
    named = ContinuousMLPBaseline(discrete_spec, optimizer=Adam, optimizer_args=options)
    made = named.make_optimizer()
    assert (made.plan, float(made.optimizer.learning_rate)) == ((3, 7), 0.125)
    lbfgs_named = ContinuousMLPBaseline(discrete_spec, optimizer=LBFGSOptimizer)
    assert type(lbfgs_named.make_optimizer()) is LBFGSOptimizer
    with pytest.raises(ValueError, match="use_trust_region needs a PenaltyLBFGSOptimizer"):
        GaussianMLPBaseline(discrete_spec, optimizer=Adam, use_trust_region=True)


def test_a_baseline_looks_at_images(make_episodes):
    spec = EnvSpec(spaces.Box(-1, 1, (6, 6, 1)), spaces.Discrete(4))
    filters = {"filters": ((4, (3, 3)),), "strides": (1,), "padding": "SAME"}
    baseline = GaussianCNNBaseline(spec, hidden_sizes=(8,), **filters)
    assert baseline.cnn.convolutions[0].kernel.shape == (3, 3, 1, 4)
    episodes = make_episodes(spec, 30, 20)
    returns = 10.0 * episodes.observations.mean(axis=(1, 2, 3))
    baseline.fit(episodes, returns, adam(baseline))
    assert np.corrcoef(baseline.predict(episodes)[0], returns)[0, 1] > 0.9
