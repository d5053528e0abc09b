"""Names are found by a walk once, and hold for as long as the graph stays as it was."""

import numpy as np
import pytest
import torch

from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph import known_names
from garage_like.snapshot.graph.known_names import KnownNames


class Algo:
    def __init__(self):
        self.policy = torch.nn.Linear(3, 2)
        self.target = torch.nn.Linear(3, 2)
        self.mean = np.zeros(3)
        self.rng = np.random.default_rng(1)
        self.replay_buffer = PathBuffer(10)

    def step(self):
        for network in (self.policy, self.target):
            network.zero_grad()
            network(torch.ones(1, 3)).sum().backward()


@pytest.fixture
def walks(monkeypatch):
    """Count the walks that are taken."""
    taken = []
    names_of = known_names.names_of
    monkeypatch.setattr(known_names, "names_of", lambda *args: taken.append(1) or names_of(*args))
    return taken


def contents(captured):
    return {name: b"".join(map(bytes, pieces)) for name, pieces in captured.files.items()}


def same_as_without(algo, known):
    """Capture with what is known, and hold it against a capture that knows nothing."""
    graph = {"algo": algo}
    ours, fresh = capture(graph, known_names=known), capture(graph)
    assert contents(ours) == contents(fresh)
    assert ours.arrays == fresh.arrays
    assert ours.generator_digests == fresh.generator_digests
    return ours


def test_graph_that_stays_as_it_was_is_walked_once(walks):
    algo, known = Algo(), KnownNames()
    for _ in range(3):
        capture({"algo": algo}, known_names=known)
    assert len(walks) == 1


def test_new_gradients_bear_the_names_of_the_old_ones(walks):
    algo, known = Algo(), KnownNames()
    for _ in range(3):
        algo.step()
        captured = capture({"algo": algo}, known_names=known)
    assert len(walks) == 1
    assert b'"policy.weight"' in contents(captured)["tensors/gradients.safetensors"]


def test_replaced_array_bears_the_name_of_the_old_one(walks):
    algo, known = Algo(), KnownNames()
    for number in range(3):
        algo.mean = np.full(3, float(number))
        same_as_without(algo, known)
    assert len(walks) == 1 + 3


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda a: (a.target, a.policy), id="networks swapped"),
        pytest.param(lambda a: (torch.nn.Linear(3, 2), a.policy), id="network handed on"),
        pytest.param(lambda a: (a.policy, a.policy), id="network shared"),
        pytest.param(lambda a: (torch.nn.Linear(3, 4), a.target), id="network of another size"),
    ],
)
def test_networks_that_change_places_change_names(change, walks):
    algo, known = Algo(), KnownNames()
    capture({"algo": algo}, known_names=known)
    algo.policy, algo.target = change(algo)
    same_as_without(algo, known)
    assert len(walks) == 3


def test_new_networks_in_the_old_places_keep_the_names():
    algo, known = Algo(), KnownNames()
    capture({"algo": algo}, known_names=known)
    algo.policy, algo.target = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    same_as_without(algo, known)


def test_attribute_that_appears_or_goes_is_named_anew():
    algo, known = Algo(), KnownNames()
    capture({"algo": algo}, known_names=known)
    algo.another = np.ones(4)
    same_as_without(algo, known)
    del algo.mean
    same_as_without(algo, known)


def test_new_generator_and_new_memory_are_named_anew():
    algo, known = Algo(), KnownNames()
    capture({"algo": algo}, known_names=known)
    algo.rng, algo.replay_buffer = np.random.default_rng(2), PathBuffer(10)
    same_as_without(algo, known)
