"""EpochAverages."""

import math

from garage_like.algos.epoch_averages import EpochAverages


def test_average_is_over_what_was_added_since_the_last_take():
    averages = EpochAverages(("a",))
    averages.add({"a": 1.0})
    averages.add({"a": 3.0})
    assert averages.take() == {"a": 2.0}
    averages.add({"a": 7.0})
    assert averages.take() == {"a": 7.0}


def test_metric_that_is_added_now_and_then_is_averaged_over_those_times():
    averages = EpochAverages(())
    averages.add({"a": 1.0})
    averages.add({"a": 3.0, "b": 10.0})
    assert averages.take() == {"a": 2.0, "b": 10.0}


def test_metric_is_there_even_if_nothing_was_added():
    assert math.isnan(EpochAverages(("a",)).take()["a"])


def test_nothing_is_left_after_a_take():
    averages = EpochAverages(())
    for number in range(100):
        averages.add({f"m{number}": 1.0})
    averages.take()
    assert averages.take() == {}
