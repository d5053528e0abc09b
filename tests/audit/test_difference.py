"""Which differences between two runs of a script count."""

import pytest

from garage_like.audit.difference import State, first_difference

SCRIPT = {"algo": "garage_like.trainer.namespace.Objects"}


def state(epoch: int, path: str, digest: str) -> State:
    return State(epoch, epoch < 0, {**SCRIPT, path: digest}, {})


@pytest.mark.parametrize(
    "path", ["rng.python", "algo.envs.env.workers_at_home[1].rng.numpy[1]", "rng.numba"]
)
def test_generators_of_processes_that_a_script_does_not_seed_are_passed_over(path: str) -> None:
    straight = {epoch: state(epoch, path, "one") for epoch in (-1, 0)}
    killed = [state(epoch, path, "another") for epoch in (-1, 0)]
    assert first_difference(straight, killed) is None


@pytest.mark.parametrize("path", ["algo.rng.python", "algo.envs.env.workers_at_home[0].env.state"])
def test_what_a_script_makes_otherwise_each_time_is_a_difference(path: str) -> None:
    straight = {-1: state(-1, path, "one")}
    found = first_difference(straight, [state(-1, path, "another")])
    assert found is not None
    assert found.component == path
