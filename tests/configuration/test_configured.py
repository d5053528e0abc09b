"""Objects remember what they were constructed with, defaults included."""

import enum
import functools
import hashlib
import inspect
import itertools
import pickle
import re
from dataclasses import dataclass

import numpy as np
import pytest
from gymnasium import spaces

from garage_like.configuration.configured import Configured, configuration_of
from garage_like.configuration.plain_values import from_text
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv
from garage_like.np.algos import CEM

DIGEST = hashlib.sha256(bytes(40_000)).hexdigest()[:8]


class Colour(enum.Enum):
    RED = 1


class Plain:
    """Say nothing of itself but an address."""


class Part(Configured):
    def __init__(self, size=3):
        self.size = size


class Whole(Configured):
    def __init__(self, part, sizes=(4, 5), *, rate=0.5, **options):
        self.given = sizes
        self.options = options


class Base(Configured):
    def __init__(self, hidden, *, tau=0.1, steps=None):
        self.tau = tau


class Derived(Base):
    def __init__(self, discount=0.9, **options):
        super().__init__([discount], **options)


class PassesOn(Derived):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)


def without_class(value):
    found = configuration_of(value)
    del found["class"]
    return found


def test_defaults_are_resolved_and_parts_described():
    part = f"{__name__}.Part"
    assert configuration_of(Whole(Part(7), rate=1)) == {
        "class": f"{__name__}.Whole",
        "part": {"class": part, "size": 7},
        "sizes": [4, 5],
        "rate": 1,
        "options": {},
    }


def test_arguments_are_noted_as_they_were_given():
    class Changes(Configured):
        def __init__(self, sizes):
            sizes.append(2)

    sizes = [1]
    assert without_class(Changes(sizes)) == {"sizes": [1]}
    assert sizes == [1, 2]


def test_options_passed_on_to_a_base_are_known_by_name_and_nothing_else_of_it_is():
    assert without_class(Derived(0.8, steps=4)) == {"tau": 0.1, "steps": 4, "discount": 0.8}
    assert configuration_of(PassesOn(0.7)) == {
        "class": f"{__name__}.PassesOn",
        "tau": 0.1,
        "steps": None,
        "discount": 0.7,
    }


def test_a_subclass_without_a_constructor_bears_its_own_name():
    class Same(Part):
        pass

    assert configuration_of(Same(1)) == {"class": f"{__name__}.{Same.__qualname__}", "size": 1}


@dataclass
class Pair:
    left: int
    right: object


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Plain(), f"{__name__}.Plain"),
        (Plain, f"{__name__}.Plain"),
        (Colour.RED, f"{__name__}.Colour.RED"),
        (float("inf"), "inf"),
        (np.float32(0.5), 0.5),
        (np.arange(3), [0, 1, 2]),
        (np.zeros(5000), f"array of shape (5000,), float64, sha256 {DIGEST}"),
        ({"b": (1, 2)}, {"b": [1, 2]}),
        (list(range(1000)), "list of 1000"),
        (spaces.Discrete(3), "Discrete(3)"),
        (Pair(1, Plain()), {"class": f"{__name__}.Pair", "left": 1, "right": f"{__name__}.Plain"}),
    ],
    ids=itertools.count(),
)
def test_values_are_shown_alike_in_every_process(value, shown):
    assert without_class(Part(value))["size"] == shown


class Shy(functools.partial):
    """Cannot be shown."""

    @property
    def keywords(self):
        raise RuntimeError


def test_a_value_that_cannot_be_shown_fails_no_constructor():
    found = without_class(Part(Shy(print)))["size"]
    assert found == f"{__name__}.Shy, which cannot be shown: RuntimeError"


def test_a_wrong_call_fails_as_it_would_anyway():
    with pytest.raises(TypeError, match=r"__init__\(\) got an unexpected keyword argument 'siez'"):
        Part(siez=3)


def test_signature_and_documentation_of_the_constructor_stay():
    assert str(inspect.signature(Part)) == "(size=3)"


def test_it_is_one_line_of_text_and_goes_where_the_object_goes():
    part = pickle.loads(pickle.dumps(Part(9)))
    assert configuration_of(part) == configuration_of(Part(9))
    assert isinstance(vars(part)["_configuration"], str)


def test_what_does_not_remember_is_none():
    assert configuration_of(Plain()) is None
    assert configuration_of(None) is None


def test_spaces_of_an_environment_are_named():
    spec = EnvSpec(spaces.Discrete(2), spaces.Box(-1, 1, (2,)), 30)
    assert without_class(Part(spec))["size"] == {
        "class": "garage_like.data.env_spec.EnvSpec",
        "observation_space": "Discrete(2)",
        "action_space": "Box(-1.0, 1.0, (2,), float32)",
        "max_episode_length": 30,
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"discount": "x"}, "CEM: discount must be a number, got 'x'"),
        ({"discount": [0.9]}, "CEM: discount must be a number, got [0.9]"),
        ({"n_samples": "20"}, "CEM: n_samples must be an integer, got '20'"),
    ],
)
def test_a_text_in_the_place_of_a_number_is_told_by_name(options, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        CEM(None, None, None, **{"n_samples": 4, **options})


def test_a_text_in_the_place_of_a_truth_value_is_not_true():
    with pytest.raises(TypeError, match="is_image must be True or False, got 'False'"):
        GymEnv("CartPole-v1", is_image="False")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("None", None),
        ("[64, 64]", [64, 64]),
        ("(64, 64)", [64, 64]),
        ("tanh", "tanh"),
        ("'1'", "1"),
        ("1j", "1j"),
        ("(" * 500, "(" * 500),
    ],
)
def test_values_that_a_person_writes_are_what_they_look_like(text, value):
    found = from_text(text)
    assert (found, type(found)) == (value, type(value))
