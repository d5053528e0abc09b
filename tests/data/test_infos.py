import warnings

import numpy as np
import pytest

from garage_like.data.infos import check_rows, concatenate_infos, slice_infos, stack_infos


def stack(dicts):
    return stack_infos(dicts, "env_infos", set())


def test_stacks_numbers_arrays_strings_and_nested_dicts():
    stacked = stack(
        [
            {"x": 1.5, "n": 1, "ok": True, "v": np.arange(2), "name": "a", "task": {"goal": [0.0]}},
            {"x": 2.5, "n": 2, "ok": False, "v": np.ones(2), "name": "bc", "task": {"goal": [1.0]}},
        ]
    )
    assert stacked["x"].tolist() == [1.5, 2.5]
    assert (stacked["n"].dtype, stacked["ok"].dtype) == (np.int64, np.bool_)
    assert stacked["v"].tolist() == [[0, 1], [1, 1]]
    assert stacked["name"].tolist() == ["a", "bc"]
    assert stacked["task"]["goal"].tolist() == [[0.0], [1.0]]


def test_missing_keys_become_nan_or_zero():
    stacked = stack([{}, {"x": 1.5, "n": 3, "ok": True, "v": np.ones(2), "s": "a"}, {}])
    np.testing.assert_array_equal(stacked["x"], [np.nan, 1.5, np.nan])
    assert stacked["n"].tolist() == [0, 3, 0]
    assert stacked["ok"].tolist() == [False, True, False]
    np.testing.assert_array_equal(stacked["v"], [[np.nan] * 2, [1, 1], [np.nan] * 2])
    assert stacked["s"].tolist() == ["", "a", ""]


def test_missing_nested_dicts_are_filled_key_by_key():
    stacked = stack([{}, {"episode": {"r": 2.0, "l": 7}}])
    np.testing.assert_array_equal(stacked["episode"]["r"], [np.nan, 2.0])
    assert stacked["episode"]["l"].tolist() == [0, 7]


def test_no_infos_make_no_keys():
    assert stack([{}, {}]) == {}


@pytest.mark.parametrize(
    "values",
    [
        [None, None],
        [object(), object()],
        [np.ones(2), np.ones(3)],
        ["a", 1],
        [{"x": 1}, 1],
        [10**30, 1],
    ],
    ids=["none", "object", "ragged", "mixed", "sometimes nested", "huge"],
)
def test_what_cannot_be_stacked_is_left_out_with_a_warning(values):
    with pytest.warns(RuntimeWarning, match=r"env_infos\['bad'\] cannot be stacked.*left out"):
        stacked = stack([{"bad": value, "good": 1} for value in values])
    assert list(stacked) == ["good"]


def test_warns_of_each_key_once():
    dropped = set()
    with pytest.warns(RuntimeWarning):
        stack_infos([{"bad": None}], "env_infos", dropped)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stack_infos([{"bad": None}], "env_infos", dropped) == {}


def test_names_a_nested_key_in_full():
    with pytest.warns(RuntimeWarning, match=r"env_infos\['outer'\]\['inner'\] cannot be stacked"):
        stack([{"outer": {"inner": None}}])


def test_order_of_keys_is_that_of_first_appearance():
    assert list(stack([{"b": 1}, {"c": 2, "a": 1}, {"b": 1, "d": 0}])) == ["b", "c", "a", "d"]


def test_slices_nested_infos():
    infos = {"x": np.arange(4), "task": {"goal": np.arange(8).reshape(4, 2)}}
    sliced = slice_infos(infos, slice(1, 3))
    assert sliced["x"].tolist() == [1, 2]
    assert sliced["task"]["goal"].tolist() == [[2, 3], [4, 5]]


def test_concatenation_fills_what_a_part_lacks():
    parts = [
        {"x": np.ones(2), "task": {"n": np.arange(2)}},
        {},
        {"x": np.zeros(1), "y": np.ones(1)},
    ]
    joined = concatenate_infos(parts, [2, 1, 1])
    np.testing.assert_array_equal(joined["x"], [1, 1, np.nan, 0])
    np.testing.assert_array_equal(joined["y"], [np.nan] * 3 + [1])
    assert joined["task"]["n"].tolist() == [0, 1, 0, 0]


def test_wrong_number_of_rows_is_named():
    with pytest.raises(ValueError, match=r"Batch: infos\['a'\]\['b'\] must have 3 rows, got 2"):
        check_rows("Batch", "infos", {"a": {"b": np.ones(2)}}, 3)
