"""Estimates are rliable's: to 1e-12 under the same seed of the bootstrap."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.studies import estimates
from garage_like.studies.methods import Study
from garage_like.studies.scores import Scores

REPS = 300


@pytest.fixture
def scores():
    """Return three algorithms on three tasks with five seeds each."""
    rng = np.random.default_rng(7)
    return {name: rng.normal(0.4 + 0.1 * i, 0.2, (5, 3)) for i, name in enumerate("abc")}


def rliable(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports
        return pytest.importorskip(f"rliable.{name}")


def close(ours, value, interval):
    assert_allclose(ours.value, value, rtol=0, atol=1e-12)
    assert_allclose([ours.low, ours.high], interval, rtol=0, atol=1e-12)


def test_aggregates_and_their_intervals_are_those_of_rliable(scores):
    theirs, metrics = rliable("library"), rliable("metrics")
    ours = Study(Scores(scores, list("xyz"), {"x": (0, 1)}, []), seed=5, reps=REPS).aggregates()

    def all_three(x):
        mean, iqm = metrics.aggregate_mean(x), metrics.aggregate_iqm(x)
        return np.array([mean, iqm, metrics.aggregate_optimality_gap(x)])

    for method, matrix in scores.items():
        np.random.seed(5)
        values, intervals = theirs.get_interval_estimates({method: matrix}, all_three, reps=REPS)
        for place, name in enumerate(("mean", "IQM", "optimality gap")):
            close(ours[method][name], values[method][place], intervals[method][:, place])


def test_probabilities_of_improvement_are_those_of_rliable(scores):
    theirs, metrics = rliable("library"), rliable("metrics")
    scores = {**scores, "c": np.round(scores["c"][:4], 1), "b": np.round(scores["b"], 1)}
    for one, other in (("a", "b"), ("b", "c")):
        pair = scores[one], scores[other]
        np.random.seed(3)
        values, intervals = theirs.get_interval_estimates(
            {"pair": pair}, metrics.probability_of_improvement, reps=REPS
        )
        ours = estimates.bootstrap_improvement(*pair, reps=REPS, seed=3)
        close(ours, values["pair"], intervals["pair"].ravel())


def test_performance_profiles_are_those_of_rliable(scores):
    theirs = rliable("library")
    taus = np.linspace(0, 1, 7)
    np.random.seed(2)
    values, intervals = theirs.create_performance_profile({"a": scores["a"]}, taus, reps=REPS)
    study = Study(Scores({"a": scores["a"]}, list("xyz"), {}, []), seed=2, pairwise_reps=REPS)
    close(study.profiles(taus)[1]["a"], values["a"], intervals["a"])


def test_more_resamples_than_fit_at_once_are_the_same(scores, monkeypatch):
    whole = estimates.bootstrap(scores["a"], estimates.iqm, reps=100)
    monkeypatch.setattr(estimates, "_AT_ONCE", 100)
    assert estimates.bootstrap(scores["a"], estimates.iqm, reps=100) == whole


@pytest.mark.parametrize(
    ("ours", "theirs", "chance"),
    [([[1.0]], [[0.0]], 1.0), ([[1.0]], [[1.0]], 0.5), ([[1.0], [3.0]], [[2.0], [2.0]], 0.5)],
)
def test_ties_count_half(ours, theirs, chance):
    assert estimates.probability_of_improvement(np.array(ours), np.array(theirs)) == chance


def test_the_interquartile_mean_leaves_out_a_quarter_on_either_side():
    assert estimates.iqm(np.array([[-100.0, 1.0], [3.0, 1e6]])) == 2.0


def test_what_is_above_the_optimum_does_not_make_up_for_what_is_below():
    assert estimates.optimality_gap(np.array([[0.5, 7.0]])) == 0.25
