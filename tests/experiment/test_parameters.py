import enum
import functools
import json
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garage_like.configuration.plain_values import to_json
from garage_like.experiment.parameters import MAX_NAME_BYTES, differences, name_with


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 0


class Plain:
    pass


def function():
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.1, 0.1),
        ("x", "x"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (np.float64(0.5), 0.5),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int64(3), 3),
        (np.bool_(True), True),
        ((1, 2), [1, 2]),
        ({"b", "a"}, ["a", "b"]),
        ({1: {"x": (2,)}}, {"1": {"x": [2]}}),
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
        (np.array(["a"], dtype=object), "array of shape (1,), object"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (Colour.RED, f"{__name__}.Colour.RED"),
        (Level.LOW, f"{__name__}.Level.LOW"),
        (Plain, f"{__name__}.Plain"),
        (function, f"{__name__}.function"),
        (np.tanh, "numpy.tanh"),
        (functools.partial(function, 1, k="v"), f"partial({__name__}.function, 1, k='v')"),
        (Plain(), f"<{__name__}.Plain object>"),
        (slice(1, 2), "slice(1, 2, None)"),
    ],
)
def test_a_parameter_becomes(value, expected):
    found = to_json(value)
    if isinstance(expected, str) and expected.startswith("array"):
        assert found.startswith(expected)
    else:
        assert found == expected
        assert type(found) is type(expected)


def test_a_large_array_is_told_by_its_shape_and_a_digest():
    array = np.zeros((100, 100), np.float32)
    assert to_json(array).startswith("array of shape (100, 100), float32, sha256 ")
    assert to_json(array) != to_json(array + 1)


def test_a_torch_tensor_is_an_array():
    torch = pytest.importorskip("torch")
    assert to_json(torch.ones(2, requires_grad=True)) == [1.0, 1.0]


def test_a_structure_that_contains_itself_ends():
    endless = []
    endless.append(endless)
    text = json.dumps(to_json(endless))
    assert 2 < text.count("[") < 100


@settings(max_examples=25)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=5,
    )
)
def test_what_comes_out_is_strict_json_and_stays_what_it_is(value):
    text = json.dumps(to_json(value), allow_nan=False)
    assert json.loads(text) == to_json(value) == to_json(to_json(value))


def test_differences_name_the_key_and_both_values():
    old, new = {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": "2", "d": None}
    assert differences(old, new) == [
        'b was 2 and is now "2"',
        "c was 3 and is now absent",
        "d was absent and is now null",
    ]
    assert differences(new, dict(reversed(new.items()))) == []


def test_differences_tell_true_from_one():
    assert differences({"a": 1}, {"a": True}) == ["a was 1 and is now true"]


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (3, "3"),
        (0.001, "0.001"),
        (-1e-9, "-1e-09"),
        (True, "True"),
        (None, "None"),
        ("relu", "relu"),
        ((64, 64), "64-64"),
        (Plain, "Plain"),
        (np.tanh, "tanh"),
    ],
)
def test_a_value_in_a_name_reads(value, part):
    assert name_with("run", {"key": value}) == f"run_key={part}"


def test_parameters_stand_in_their_order():
    assert name_with("run", {"b": 1, "a": 2}) == "run_b=1_a=2"


@pytest.mark.parametrize("value", ["a/b", "../..", "a b", "a\0b", "*", "é" * 100, "x" * 300, "[]"])
def test_a_value_that_is_no_file_name_is_made_one(tmp_path, value):
    name = name_with("run", {"key": value})
    (tmp_path / name).mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert name.startswith("run_key=")


def test_different_values_give_different_names_even_where_changed_or_cut():
    values = ["a/b", "a b", "a_b", "x" * 300, "x" * 301, "y" + "x" * 299]
    assert len({name_with("run", {"key": value}) for value in values}) == len(values)


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=50), st.dictionaries(st.text(max_size=30), st.text()))
def test_a_name_has_a_sane_length(name, parameters):
    assert len(name_with(name, parameters).encode(errors="replace")) <= MAX_NAME_BYTES


def test_names_that_are_cut_differ_by_what_was_cut_off():
    many = {f"parameter_{i}": i for i in range(50)}
    first, second = name_with("run", many), name_with("run", {**many, "parameter_49": 0})
    assert first != second
    assert max(len(first), len(second)) <= MAX_NAME_BYTES
