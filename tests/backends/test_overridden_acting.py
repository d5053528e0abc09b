"""A policy that overrides how it acts may ask the class above."""

import importlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.sampler.framework_actor import actor_of

OBSERVATIONS = np.random.default_rng(0).uniform(-1, 1, (5, 3))


@pytest.mark.parametrize("backend", ["np", "tf", "torch"])
@pytest.mark.parametrize("name", ["get_action", "get_actions"])
def test_one_that_overrides_how_it_acts_may_ask_the_class_above(continuous_spec, backend, name):
    policies = importlib.import_module(f"garage_like.{backend}.policies")

    class Counting(policies.GaussianMLPPolicy):
        calls = 0

        def count(self, observations):
            self.calls += 1
            return getattr(super(), name)(observations)

    setattr(Counting, name, Counting.count)
    policy = Counting(continuous_spec, hidden_sizes=(4,))
    actions, infos = actor_of(policy).act(OBSERVATIONS, np.random.default_rng(0))
    assert policy.calls == (1 if name == "get_actions" else len(OBSERVATIONS))
    above = super(Counting, policy)
    if name == "get_actions":
        expected = above.get_actions(OBSERVATIONS)[1]["mean"]
    else:  # a row alone and a row of many differ in bits
        expected = [above.get_action(row)[1]["mean"] for row in OBSERVATIONS]
    assert_array_equal(infos["mean"], expected)
    assert len(actions) == len(OBSERVATIONS)
