"""The object graph as a whole: identity, code, singletons, classes that moved."""

import collections
import enum
import functools
import importlib
import importlib.util
import sys
import types

import numpy as np
import pytest

from garage_like.errors import SnapshotMismatchError
from garage_like.logging import logger, tabular
from garage_like.snapshot.graph import renamed
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler, copy_exactly


class Node:
    """Anything with attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def ask(self):
        return self.answer

    @classmethod
    def make(cls):
        return cls(answer=1)


class Mode(enum.Enum):
    TRAIN = 1
    TEST = 2


def test_one_object_in_two_places_is_one_object(reload):
    shared = Node(numbers=[1])
    found = reload([shared, {"again": shared}])
    assert found[0] is found[1]["again"]


def test_cycles_come_back(reload):
    node = Node()
    node.self = node
    found = reload(node)
    assert found.self is found


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, 2: "b", (3, 4): None},
        [1, 2.5, -0.0, True, b"x", "é", 10**40, 1 + 2j],
        {1, 2, 3},
        frozenset({"a"}),
        collections.deque([1, 2], maxlen=3),
        collections.OrderedDict(b=1, a=2),
        collections.defaultdict(list, a=[1]),
        collections.Counter("abca"),
        np.float32(1.5),
        np.dtype([("a", "f4")]),
        Mode.TEST,
        range(3, 9, 2),
        functools.partial(max, 3),
    ],
    ids=repr,
)
def test_value_comes_back(value, reload):
    found = reload(value)
    assert type(found) is type(value)
    if isinstance(value, functools.partial):
        assert found(2) == value(2)
    else:
        assert found == value
        assert repr(found) == repr(value)


def test_members_of_an_enum_stay_the_same_objects(reload):
    assert reload([Mode.TRAIN])[0] is Mode.TRAIN


def test_bound_method_comes_back_bound_to_the_restored_object(reload):
    node = Node(answer=42)
    found, ask = reload([node, node.ask])
    found.answer = 43
    assert ask() == 43
    assert ask.__func__ is Node.ask


def test_method_that_an_object_keeps_of_itself_comes_back(reload):
    node = Node(answer=42)
    node.callback = node.ask
    found = reload(node)
    assert found.callback.__self__ is found
    assert found.callback() == 42


def test_class_method_comes_back(reload):
    assert reload(Node.make)().answer == 1


def test_method_of_another_name_comes_back(reload):
    node = Node(answer=3)
    node.other = types.MethodType(lambda self: self.answer + 1, node)
    assert reload(node).other() == 4


def test_function_made_in_a_function_comes_back_with_what_it_closed_over(reload):
    scale = np.arange(3.0)

    def scaled(x):
        return (scale * x).tolist()

    assert reload(scaled)(2) == [0, 2, 4]


@pytest.mark.parametrize("singleton", [logger, tabular], ids=["logger", "tabular"])
def test_singletons_come_back_as_the_ones_of_this_process(singleton, reload):
    assert reload(singleton) is singleton
    assert reload(Node(log=singleton)).log is singleton


def test_singleton_held_by_the_algorithm_itself_is_not_pickled_by_value():
    pickler = GraphPickler({"algo": Node(log=logger)})
    content = pickler.save()
    assert GraphUnpickler(content, []).load()["algo"].log is logger
    assert b"_outputs" not in content


def test_launcher_algorithm_logs_to_the_living_logger(run_python):
    run_python(
        """
import sys
from garage_like.logging import logger, tabular
from garage_like.snapshot.graph.pickling import copy_exactly
class Algo:
    def train(self):
        tabular.record('Return', 3.0)
        return logger, tabular
copied = copy_exactly(Algo())
assert copied.train() == (logger, tabular)
assert tabular.as_primitive_dict == {'Return': 3.0}
"""
    )


def test_launcher_algorithm_restored_elsewhere_logs_to_the_logger_there(run_python, tmp_path):
    run_python(
        """
import sys
from pathlib import Path
from garage_like.logging import tabular
from garage_like.snapshot.graph.pickling import GraphPickler
class Algo:
    def train(self):
        tabular.record('Return', 3.0)
Path(sys.argv[1]).write_bytes(GraphPickler({'algo': Algo()}).save())
""",
        tmp_path / "pickle",
    )
    run_python(
        """
import sys
from pathlib import Path
from garage_like.snapshot.graph.pickling import GraphUnpickler
algo = GraphUnpickler(Path(sys.argv[1]).read_bytes(), []).load()['algo']
algo.train()
from garage_like.logging import tabular
assert tabular.as_primitive_dict == {'Return': 3.0}
""",
        tmp_path / "pickle",
        name="other.py",
    )


def test_class_that_moved_is_found_under_its_new_name(monkeypatch):
    old_home = types.ModuleType("old_home")
    old_class = type("OldNode", (Node,), {"__module__": "old_home"})
    old_home.OldNode = old_class
    monkeypatch.setitem(sys.modules, "old_home", old_home)
    content = GraphPickler({"value": old_class(answer=5)}).save()
    monkeypatch.delitem(sys.modules, "old_home")

    with pytest.raises(
        SnapshotMismatchError, match=r"needs old_home\.OldNode, which cannot be imported here"
    ):
        GraphUnpickler(content, []).load()
    monkeypatch.setitem(renamed.RENAMED, ("old_home", "OldNode"), (__name__, "Node"))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Node.__module__])
    found = GraphUnpickler(content, []).load()["value"]
    assert type(found) is Node
    assert found.answer == 5


def test_class_that_was_renamed_away_is_named(monkeypatch):
    content = GraphPickler({"value": collections.OrderedDict}).save()
    monkeypatch.setitem(renamed.RENAMED, ("collections", "OrderedDict"), ("collections", "Gone"))
    with pytest.raises(SnapshotMismatchError, match=r"needs collections\.Gone"):
        GraphUnpickler(content, []).load()


def test_copy_shares_nothing_with_the_original():
    original = Node(array=np.zeros(3), items=[1])
    copied = copy_exactly(original)
    copied.array += 1
    copied.items.append(2)
    assert original.array.sum() == 0
    assert original.items == [1]


def test_pickle_is_the_same_for_the_same_graph():
    graph = {"algo": Node(array=np.arange(3.0), items=[1, {"a": 2}])}
    assert GraphPickler(graph).save() == GraphPickler(graph).save()


def test_what_moved_is_where_old_snapshots_are_sent():
    for module, name in renamed.RENAMED.values():
        assert getattr(importlib.import_module(module), name) is not None
        assert module not in renamed.MOVED


def test_modules_that_moved_are_where_old_snapshots_are_sent():
    for module in renamed.MOVED.values():
        importlib.util.find_spec(module).loader.get_code(module)
    assert renamed.present_name("garage_like.snapshot.arrays", "rebuild_array") == (
        "garage_like.snapshot.kinds.arrays",
        "rebuild_array",
    )


def test_python_generator_that_has_ended_is_saved_and_one_that_goes_on_is_not():
    ended, going_on = (x for x in "ab"), (x for x in "ab")
    list(ended)
    assert list(copy_exactly(ended)) == []
    with pytest.raises(TypeError, match="cannot pickle 'generator' object"):
        copy_exactly(going_on)
