import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.tf.distributions import Categorical, DiagonalGaussian
from garage_like.tf.quiet_import import tf

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(2, 5, 4)).astype(np.float32)
MEANS = RNG.normal(size=(2, 5, 3)).astype(np.float32)
LOG_STDS = RNG.normal(scale=0.5, size=(2, 5, 3)).astype(np.float32)


def probabilities(logits):
    weights = np.exp(logits.astype(float))
    return weights / weights.sum(-1, keepdims=True)


def test_categories_have_the_probabilities_of_their_logits():
    values = np.array([0, 3, 1, 1, 2])
    expected = np.log(probabilities(LOGITS[0])[np.arange(5), values])
    assert_allclose(Categorical(LOGITS[0]).log_prob(values), expected, rtol=1e-5)


def test_entropy_and_divergence_of_categories():
    p, q = probabilities(LOGITS[0]), probabilities(LOGITS[1])
    ours, theirs = Categorical(LOGITS[0]), Categorical(LOGITS[1])
    assert_allclose(ours.entropy(), -(p * np.log(p)).sum(-1), rtol=1e-5)
    assert_allclose(ours.kl_divergence(theirs), (p * np.log(p / q)).sum(-1), rtol=1e-5)


def test_normal_numbers_have_the_density_of_their_mean_and_deviation():
    stats = pytest.importorskip("scipy.stats")
    values = RNG.normal(size=(5, 3)).astype(np.float32)
    for log_std in (LOG_STDS[0], LOG_STDS[0, 0]):
        expected = stats.norm.logpdf(values, MEANS[0], np.exp(log_std)).sum(-1)
        found = DiagonalGaussian(MEANS[0], log_std).log_prob(values)
        assert_allclose(found, expected, rtol=1e-4)


def test_entropy_and_divergence_of_normal_numbers():
    stats = pytest.importorskip("scipy.stats")
    ours, theirs = (DiagonalGaussian(MEANS[i], LOG_STDS[i]) for i in (0, 1))
    s, t = np.exp(LOG_STDS.astype(float))
    assert_allclose(ours.entropy(), stats.norm.entropy(MEANS[0], s).sum(-1), rtol=1e-5)
    kl = np.log(t / s) + (s**2 + (MEANS[0] - MEANS[1]) ** 2) / (2 * t**2) - 0.5
    assert_allclose(ours.kl_divergence(theirs), kl.sum(-1), rtol=1e-4)
    assert_allclose(ours.stddev, s, rtol=1e-5)


@pytest.mark.parametrize("values", [LOGITS[0], MEANS[0]], ids=["categorical", "gaussian"])
def test_a_detached_distribution_is_the_same_without_a_gradient(values):
    variable = tf.Variable(values)
    with tf.GradientTape() as tape:
        whole = Categorical(variable) if values is LOGITS[0] else DiagonalGaussian(variable, 0.0)
        entropy = whole.detached().kl_divergence(whole.detached())
    assert_allclose(entropy, np.zeros(5), atol=1e-6)
    assert tape.gradient(entropy, variable) is None
