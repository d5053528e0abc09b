import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.np.actors import (
    CategoricalActor,
    DeterministicActor,
    GaussianActor,
    sample_categorical,
)

SPACE = spaces.Box(-1.0, 1.0, (2,))
PROBABILITIES = np.array([0.1, 0.2, 0.7])


class Uniforms:
    """Hand out given uniform numbers as a generator does."""

    def __init__(self, *values):
        self.values = np.array(values)

    def random(self, shape=None):
        return self.values[0] if shape is None else self.values.reshape(shape)


@pytest.mark.parametrize("rows", [1, 60_000])
def test_categories_come_as_often_as_they_should(rows):
    rng = np.random.default_rng(0)
    logits = np.tile(np.log(PROBABILITIES).astype(np.float32) + 3.0, (rows, 1))
    draws = np.concatenate([sample_categorical(logits, rng) for _ in range(60_000 // rows)])
    # Five standard errors of a frequency of 0.7 among 60,000 are 0.0094.
    assert_allclose(np.bincount(draws) / len(draws), PROBABILITIES, atol=0.0094)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_few_rows_and_many_are_drawn_alike(rows):
    logits = np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)
    actions = sample_categorical(logits, np.random.default_rng(2))
    one_by_one = np.random.default_rng(2)
    assert_array_equal(
        actions, np.concatenate([sample_categorical(row[None], one_by_one) for row in logits])
    )
    assert actions.dtype == np.int64


@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize(("uniform", "action"), [(0.0, 0), (0.25, 1), (0.6, 2), (1 - 2**-53, 2)])
def test_the_cumulative_distribution_is_inverted(copies, uniform, action):
    logits = np.log(np.array([[0.25, 0.25, 0.5]] * copies, np.float32))
    assert_array_equal(sample_categorical(logits, Uniforms(*[uniform] * copies)), [action] * copies)


@pytest.mark.parametrize("rows", [1, 100])
def test_an_impossible_action_is_never_drawn(rows):
    logits = np.array([[-np.inf, 0.0, -np.inf]] * rows, np.float32)
    assert_array_equal(sample_categorical(logits, np.random.default_rng(0)), [1] * rows)


@pytest.mark.parametrize("rows", [1, 100])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_outputs_that_are_not_finite_are_refused(rows, bad):
    logits = np.array([[0.0, bad]] * rows, np.float32)
    with pytest.raises(ValueError, match=r"outputs must be finite.*training has diverged"):
        sample_categorical(logits, np.random.default_rng(0))


def double(rows):
    return 2.0 * rows


def test_a_categorical_actor_reports_its_logits():
    actor = CategoricalActor(double, SPACE)
    actions, infos = actor.act(np.array([[0.0, 30.0], [30.0, 0.0]]), np.random.default_rng(0))
    assert_array_equal(actions, [1, 0])
    assert_array_equal(infos["logits"], [[0.0, 60.0], [60.0, 0.0]])
    assert infos["logits"].dtype == np.float32


def test_gaussian_actions_have_the_mean_and_deviation_they_should():
    log_std = np.log(np.array([0.5, 2.0], np.float32))
    actor = GaussianActor(double, log_std, SPACE, (2,))
    rows = np.tile(np.array([[1.0, -3.0]], np.float32), (40_000, 1))
    actions, infos = actor.act(rows, np.random.default_rng(0))
    assert actions.dtype == np.float32
    # Five standard errors: 5 * 2 / 200 of the mean, and that by sqrt(2) less of the deviation.
    assert_allclose(actions.mean(axis=0), [2.0, -6.0], atol=0.05)
    assert_allclose(actions.std(axis=0), [0.5, 2.0], atol=0.036)
    assert_array_equal(infos["mean"], 2.0 * rows)
    assert_array_equal(infos["log_std"], np.tile(log_std, (40_000, 1)))


def test_gaussian_actions_take_the_shape_of_the_action_space():
    actor = GaussianActor(double, np.zeros(2, np.float32), SPACE, (1, 2))
    actions, infos = actor.act(np.zeros((3, 2)), np.random.default_rng(0))
    assert actions.shape == (3, 1, 2)
    assert infos["mean"].shape == infos["log_std"].shape == (3, 2)


def test_the_number_of_rows_may_change_between_calls():
    actor = GaussianActor(double, np.zeros(2, np.float32), SPACE, (2,))
    rng = np.random.default_rng(0)
    for rows in (1, 3, 2, 1):
        _, infos = actor.act(np.zeros((rows, 2)), rng)
        assert infos["log_std"].shape == (rows, 2)


def test_a_deterministic_actor_draws_nothing():
    observations = np.array([[1.0, 2.0], [4.0, 3.0]], np.float32)
    continuous, infos = DeterministicActor(double, SPACE, (1, 2)).act(observations, None)
    assert_array_equal(continuous, [[[2.0, 4.0]], [[8.0, 6.0]]])
    assert infos == {}
    discrete, _ = DeterministicActor(double, SPACE, None).act(observations, None)
    assert_array_equal(discrete, [1, 0])
