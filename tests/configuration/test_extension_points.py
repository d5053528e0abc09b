"""What would never be called is refused when it is defined."""

import pytest

from garage_like.configuration.extension_points import ExtensionPoints, overrides


class Loop(ExtensionPoints):
    __module__ = "garage_like.loops"
    REPLACED = {"_step": "step(number)", "_run(a, b)": "_run(c)"}

    def step(self, number):
        return number

    def _run(self, c):
        return c


def test_a_method_that_is_not_called_is_refused_with_what_replaces_it():
    with pytest.raises(TypeError, match=r"Mine defines _step, which Loop.*define step\(number\)"):

        class Mine(Loop):
            def _step(self):
                return 1


def test_a_name_that_means_something_else_is_told_by_its_parameters():
    with pytest.raises(TypeError, match=r"Theirs defines _run.*define _run\(c\) instead"):

        class Theirs(Loop):
            def _run(self, a, b):
                return a

    class Ours(Loop):
        def _run(self, c):
            return 2 * c

    assert Ours()._run(1) == 2


def test_an_override_is_seen_on_the_class_and_on_the_object():
    class Mine(Loop):
        def step(self, number):
            return 0

    assert overrides(Mine(), Loop, "step")
    loop = Loop()
    assert not overrides(loop, Loop, "step", "_run")
    loop.step = print
    assert overrides(loop, Loop, "step")
