"""Paths of what a graph reaches, and digests that differ exactly if bits do."""

import collections
import enum
import functools
import random
import socket
import threading

import numpy as np
import pytest
import torch

from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.graph.walk import find_unpicklable, leaf_digest, leaves, walk


class Node:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        pass


class Slotted:
    __slots__ = ("__hidden", "value")

    def __init__(self, value):
        self.value = value
        self.__hidden = 1


class Mode(enum.Enum):
    TRAIN = 1
    TEST = 2


class NamedPair(collections.namedtuple("NamedPair", "a b")):
    pass


class Labels(dict):
    pass


class OwnState:
    def __init__(self, value):
        self.value = value
        self.cache = object()

    def __getstate__(self):
        return {"kept": self.value}

    def __setstate__(self, state):
        self.__init__(state["kept"])


class OwnReduction:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return OwnReduction, self.arguments


def paths(**graph):
    return [path for path, _ in walk(graph)]


def test_paths_read_like_code():
    network = torch.nn.Sequential(torch.nn.Linear(1, 1))
    algo = Node(policy=network, items=[{"a": 1, 2: "b"}], pair=(1, [2]))
    found = paths(algo=algo)
    for path in ("algo.policy.0.weight", "algo.items[0].a", "algo.items[0][2]", "algo.pair[1][0]"):
        assert path in found


def test_slots_have_paths():
    assert sorted(paths(x=Slotted(1))) == ["x", "x._Slotted__hidden", "x.value"]


def test_object_is_found_once_under_the_shortest_path_of_the_first_root():
    shared = Node()
    graph = {"first": Node(deep=Node(shared=shared), shared=shared), "second": shared}
    found = {id(value): path for path, value in walk(graph)}
    assert found[id(shared)] == "first.shared"


def test_constants_are_found_wherever_they_are():
    constant = (3, 3)
    assert paths(a=constant, b=constant) == ["a", "b"]


def test_cycles_end():
    node = Node()
    node.self, node.items = node, [node]
    assert paths(x=node) == ["x", "x.items"]


def test_optimizer_shows_slots_by_the_number_of_their_parameter():
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    found = paths(network=network, optimizer=optimizer)
    assert "optimizer.state[1].exp_avg" in found
    assert "optimizer.param_groups[0].lr" in found
    assert "optimizer.params[0]" not in found, "it is the network's"


def test_objects_show_what_they_pickle():
    assert paths(x=OwnState(1)) == ["x", "x.kept"]
    assert paths(x=OwnReduction(1, [2])) == ["x", "x(0)", "x(1)", "x(1)[0]"]


def test_methods_and_partials_lead_on():
    node = Node(weights=np.zeros(1))
    assert "x.__self__.weights" in paths(x=node.method)
    assert "x.keywords.w[0]" in paths(x=functools.partial(max, w=[1]))


DIFFERENT = [
    (1, 2),
    (1, 1.0),
    (1, True),
    (0.0, -0.0),
    (0.1, np.nextafter(0.1, 1)),
    ("a", b"a"),
    ("a" * 1000, "a" * 999 + "b"),
    (None, 0),
    ([], {}),
    ([], ()),
    ([1, 2], (1, 2)),
    ([1, 2], [2, 1]),
    ({"a": 1}, {"b": 1}),
    ({1: 2}, {"1": 2}),
    ({"a": {"b": 1}}, {"a.b": 1}),
    ({"a.b": 1, "a": {"b": 2}}, {"a.b": 1, "a": {"b": 3}}),
    ({"a.b": 1, "a": {"b": 3}}, {"a.b": 2, "a": {"b": 3}}),
    ({1, 2}, {1, 3}),
    (frozenset({1}), frozenset({2})),
    (Mode.TRAIN, Mode.TEST),
    (Node, Slotted),
    (len, max),
    (np.float32(1), np.float64(1)),
    (np.zeros(2), np.zeros(3)),
    (np.zeros((2, 3)), np.zeros((3, 2))),
    (np.zeros(2), np.zeros(2, np.float32)),
    (np.array([0.0]), np.array([-0.0])),
    (np.array([1, "a"], object), np.array([1, "b"], object)),
    (
        np.ma.array([1, 2], mask=[0, 1], fill_value=9),
        np.ma.array([1, 2], mask=[1, 0], fill_value=9),
    ),
    (np.dtype("f4"), np.dtype("f8")),
    (torch.zeros(2), torch.zeros(3)),
    (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
    (torch.zeros(1), -torch.zeros(1)),
    (torch.zeros(1), torch.nn.Parameter(torch.zeros(1))),
    (torch.eye(2).to_sparse(), torch.zeros(2, 2).to_sparse()),
    (torch.float32, torch.float64),
    (torch.device("cpu"), torch.device("meta")),
    (np.random.default_rng(1), np.random.default_rng(2)),
    (np.random.RandomState(1), np.random.RandomState(2)),
    (random.Random(1), random.Random(2)),
    (torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)),
    (Node(a=1), Node(a=2)),
    (Node(), OwnState(1)),
    (Slotted(1), Slotted(2)),
    (NamedPair(1, 2), NamedPair(1, 3)),
    (Labels(a=1), Labels(a=2)),
    (collections.deque([1]), collections.deque([2])),
    (collections.Counter("a"), collections.Counter("aa")),
    (collections.defaultdict(int, a=1), collections.defaultdict(int, a=2)),
    (bytearray(b"a"), bytearray(b"b")),
    (OwnState(1), OwnState(2)),
    (OwnReduction(1), OwnReduction(2)),
    (functools.partial(max, 1), functools.partial(max, 2)),
    (slice(1), slice(2)),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=lambda value: type(value).__name__)
def test_digests_differ_if_values_do(one, other):
    assert leaves({"x": one}) != leaves({"x": other})
    assert leaves({"x": [Node(a=one)]}) != leaves({"x": [Node(a=other)]})


@pytest.mark.parametrize("one", [value for value, _ in DIFFERENT], ids=lambda v: type(v).__name__)
def test_digests_of_a_copy_are_the_same(one):
    assert leaves({"x": copy_exactly(one)}) == leaves({"x": one})


def test_gradients_count():
    ours, theirs = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    theirs.grad = torch.zeros(1)
    assert leaves({"x": ours}) != leaves({"x": theirs})


def test_children_that_a_generator_spawned_count():
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    theirs.spawn(1)
    assert leaves({"x": ours}) != leaves({"x": theirs})


def test_lost_tie_shows():
    shared = np.zeros(2)
    assert leaves({"x": [shared, shared]}) != leaves({"x": [shared, shared.copy()]})


def test_layout_in_memory_does_not_count():
    array = np.arange(6.0).reshape(2, 3)
    assert leaves({"x": array}) == leaves({"x": np.asfortranarray(array)})
    assert leaf_digest(torch.ones(2, 3)) == leaf_digest(torch.ones(3, 2).t())


def test_order_of_a_set_does_not_count():
    assert leaves({"x": {"a", "b", "c"}}) == leaves({"x": {"c", "b", "a"}})


def test_objects_as_keys_do_not_show_their_addresses():
    assert leaves({"x": {Node(): 1}}) == leaves({"x": {Node(): 1}})
    assert leaves({"x": {Node(a=1): 1}}) != leaves({"x": {Node(a=2): 1}})


def test_shared_constants_do_not_count_as_ties():
    pair = (1, 2)
    assert leaves({"x": [pair, pair]}) == leaves({"x": [pair, eval("1, 2")]})


def can_pickle(value):
    try:
        copy_exactly(value)
    except Exception:
        return False
    return True


def unpicklable_path(**graph):
    return find_unpicklable(graph, can_pickle)


class WithSocket(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self._socket = socket.socket()


@pytest.fixture
def with_socket():
    module = WithSocket()
    yield module
    module._socket.close()


def test_unpicklable_attribute_is_named_by_its_path(with_socket):
    assert unpicklable_path(algo=Node(policy=with_socket)) == "algo.policy._socket"


def test_unpicklable_submodule_is_named_by_its_path(with_socket):
    network = torch.nn.Sequential(torch.nn.Linear(1, 1), with_socket)
    assert unpicklable_path(algo=Node(policy=network)) == "algo.policy.1._socket"


@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda lock: [1, lock], "algo.x[1]"),
        (lambda lock: {"a": (lock,)}, "algo.x.a[0]"),
        (lambda lock: {3: lock}, "algo.x[3]"),
        (lambda lock: Slotted(lock), "algo.x.value"),
        (lambda lock: np.array([lock], object), "algo.x[0]"),
        (lambda lock: functools.partial(max, lock), "algo.x.args[0]"),
        (lambda lock: Node(m=Node(lock=lock).method), "algo.x.m.__self__.lock"),
        (lambda lock: OwnState(lock), "algo.x.kept"),
        (lambda lock: (x for x in [lock]), "algo.x"),
    ],
)
def test_path_leads_through_containers(wrap, path):
    assert unpicklable_path(fine=1, algo=Node(a=1, x=wrap(threading.Lock()))) == path


def test_path_through_a_cycle_ends():
    node = Node()
    node.self, node.lock = node, threading.Lock()
    assert unpicklable_path(algo=node) == "algo.lock"


def test_no_path_if_all_can_be_pickled():
    assert unpicklable_path(algo=Node(a=1)) is None
