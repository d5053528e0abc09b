"""track_data: many numbers, one for the row."""

import math

import numpy as np
import pytest

from garage_like.logging import track_data, tracked
from garage_like.logging.tracked_data import TrackedData


@pytest.fixture(autouse=True)
def _nothing_tracked():
    tracked.take()
    yield
    tracked.take()


def test_k05_a_tag_gives_the_mean_of_what_was_tracked():
    for value in (1, 2.0, np.float32(6.0)):
        track_data("Loss", value)
    assert tracked.take() == {"Loss": 3.0}


def test_k05_min_and_max_at_the_end_of_a_tag_ask_for_the_extreme():
    for value in (2.0, 5.0, -1.0, 3.0):
        track_data("x (min)", value)
        track_data("x (max)", value)
        track_data("(max) x", value)
    assert tracked.take() == {"x (min)": -1.0, "x (max)": 5.0, "(max) x": 2.25}


def test_k05_arrays_count_with_each_of_their_numbers():
    track_data("x", np.array([[1.0, 2.0], [3.0, 4.0]]))
    track_data("x", 15)
    track_data("x (max)", [1, 7, 3])
    assert tracked.take() == {"x": 5.0, "x (max)": 7.0}


def test_an_empty_array_makes_a_column_and_changes_no_number():
    track_data("x", [])
    assert math.isnan(tracked.take()["x"])
    track_data("x (min)", [])
    track_data("x (min)", 3.0)
    track_data("x (min)", [])
    assert tracked.take() == {"x (min)": 3.0}


@pytest.mark.parametrize("tag", ["x", "x (min)", "x (max)"])
@pytest.mark.parametrize("values", [[math.nan, 1.0], [1.0, math.nan], [[1.0, math.nan]]])
def test_nan_is_not_hidden(tag, values):
    for value in values:
        track_data(tag, value)
    assert math.isnan(tracked.take()[tag])


def test_taking_begins_anew():
    track_data("x", 1.0)
    tracked.take()
    assert tracked.take() == {}


def test_state_goes_on_in_another_object_bit_for_bit():
    whole, first, second = TrackedData(), TrackedData(), TrackedData()
    values = np.random.default_rng(0).normal(size=20).tolist()
    for value in values:
        whole.track("x", value)
        whole.track("x (min)", value)
    for data, part in ((first, values[:9]), (second, values[9:])):
        if data is second:
            second.set_state(first.state())
        for value in part:
            data.track("x", value)
            data.track("x (min)", value)
    assert second.take() == whole.take()


@pytest.mark.parametrize("value", ["much", None, {}, [1, "a"]])
def test_what_is_no_number_is_refused_by_name(value):
    with pytest.raises(TypeError, match="'x' must be a number or an array of numbers, got"):
        track_data("x", value)


def test_a_tag_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="the tag must be a string, got 3"):
        track_data(3, 3)
