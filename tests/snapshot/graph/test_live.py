"""Restoring into live objects, and leaving live classes alone."""

import numpy as np
import pytest

from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler

BY_VALUE = """
import enum, sys, typing
import numpy as np
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler

COUNTER = [0]
T = typing.TypeVar('T')

class Mode(enum.Enum):
    TRAIN = 1
    TEST = 2

class Base:
    pass

class Algo(Base, typing.Generic[T]):
    shared = []
    def __init__(self):
        self.mode = Mode.TEST
        self.weights = np.arange(3.0)
        self.step = self.count
    def count(self):
        COUNTER[0] += 1
        return super().__init__ is not None

def save(graph):
    pickler = GraphPickler(graph)
    return pickler.save(), [bytearray(b) for b in pickler.buffers]

def load(saved):
    return GraphUnpickler(*saved).load()
"""


class Part:
    def __init__(self, value=0):
        self.value = value


class OtherPart(Part):
    pass


class Algo:
    def __init__(self, value=0):
        self.policy = Part(value)
        self.rng = np.random.default_rng(value)


class Slotted:
    __slots__ = ("__dict__", "value")


class Exploding:
    def __reduce__(self):
        return explode, ()


def explode():
    raise RuntimeError("half-way")


def saved(graph):
    pickler = GraphPickler(graph)
    return pickler.save(), [bytearray(buffer) for buffer in pickler.buffers]


def restore_into(live, content):
    with restoring_into(components_of(live)):
        return GraphUnpickler(*content).load()


def test_state_is_loaded_into_the_live_objects():
    content = saved({"algo": Algo(7)})
    algo = Algo(1)
    policy = algo.policy
    graph = restore_into({"algo": algo}, content)
    assert graph["algo"] is algo
    assert algo.policy is policy
    assert policy.value == 7


def test_attributes_that_the_snapshot_lacks_do_not_stay_behind():
    content = saved({"algo": Algo()})
    algo = Algo()
    algo.leftover = 1
    restore_into({"algo": algo}, content)
    assert not hasattr(algo, "leftover")


def test_failure_half_way_leaves_live_objects_as_they_were():
    broken = Algo(7)
    broken.zzz = Exploding()
    content = saved({"algo": broken})
    algo = Algo(1)
    policy, rng = algo.policy, algo.rng
    with pytest.raises(RuntimeError, match="half-way"):
        restore_into({"algo": algo}, content)
    assert algo.__dict__ == {"policy": policy, "rng": rng}
    assert policy.value == 1


def test_object_of_another_class_is_made_anew():
    other = Algo(7)
    other.policy = OtherPart(7)
    content = saved({"algo": other})
    algo = Algo(1)
    policy = algo.policy
    restore_into({"algo": algo}, content)
    assert type(algo.policy) is OtherPart
    assert policy.value == 1


def test_two_objects_of_the_snapshot_do_not_become_one():
    separate = Algo()
    separate.policy, separate.target = Part(1), Part(2)
    content = saved({"algo": separate})
    live = Algo()
    live.policy = live.target = Part(9)
    restore_into({"algo": live}, content)
    assert (live.policy.value, live.target.value) == (1, 2)


def test_one_object_of_the_snapshot_does_not_become_two():
    together = Algo()
    together.policy = together.target = Part(1)
    content = saved({"algo": together})
    live = Algo()
    live.policy, live.target = Part(8), Part(9)
    restore_into({"algo": live}, content)
    assert live.policy is live.target


def test_object_with_slots_is_made_anew_since_its_slots_could_not_be_undone():
    algo = Algo()
    algo.policy = Slotted()
    algo.policy.value = 5
    content = saved({"algo": algo})
    live = Algo()
    live.policy = before = Slotted()
    before.value = 1
    restore_into({"algo": live}, content)
    assert live.policy.value == 5
    assert before.value == 1


def test_live_objects_are_offered_no_longer_than_the_restore_lasts():
    content = saved({"algo": Algo(7)})
    algo = Algo(1)
    with restoring_into(components_of({"algo": algo})):
        pass
    assert GraphUnpickler(*content).load()["algo"] is not algo
    assert algo.policy.value == 1


def test_load_without_live_objects_makes_new_ones():
    algo = Algo(7)
    found = GraphUnpickler(*saved({"algo": algo})).load()["algo"]
    assert found is not algo
    assert found.policy.value == 7


def test_torch_module_and_its_optimizer_are_restored_into():
    import torch

    def make():
        algo = Algo()
        algo.policy = torch.nn.Linear(2, 1)
        algo.optimizer = torch.optim.Adam(algo.policy.parameters())
        algo.policy(torch.ones(1, 2)).sum().backward()
        algo.optimizer.step()
        return algo

    old, live = make(), make()
    policy, optimizer = live.policy, live.optimizer
    restore_into({"algo": live}, saved({"algo": old}))
    assert live.policy is policy
    assert live.optimizer is optimizer
    assert torch.equal(policy.weight, old.policy.weight)
    assert optimizer.param_groups[0]["params"][0] is policy.weight


def test_components_are_two_levels_deep():
    algo = Algo()
    assert components_of({"algo": algo, "number": 3}) == {
        "algo": algo,
        "algo.policy": algo.policy,
    }


def test_code_is_no_component():
    algo = Algo()
    algo.policy = algo.__init__
    algo.rng = restore_into
    assert components_of({"algo": algo}) == {"algo": algo}


def test_loading_leaves_live_classes_as_they_are(run_python):
    run_python(
        BY_VALUE
        + """
saved = save({'algo': Algo()})
before = {cls: dict(vars(cls)) for cls in (Algo, Base, Mode)}
found = load(saved)['algo']
assert type(found) is Algo and isinstance(found, Base)
assert {cls: dict(vars(cls)) for cls in before} == before
assert found.mode is Mode.TEST
found.count(); found.step()
assert COUNTER == [2], 'methods work on this process\\'s globals'
"""
    )


def test_classes_of_the_launcher_are_found_again_by_a_second_start_of_it(run_python, tmp_path):
    code = (
        BY_VALUE
        + """
import pickle
from pathlib import Path
file = Path(sys.argv[1])
if not file.exists():
    content, buffers = save({'algo': Algo()})
    file.write_bytes(pickle.dumps((content, buffers)))
else:
    before = {cls: dict(vars(cls)) for cls in (Algo, Base, Mode)}
    found = load(pickle.loads(file.read_bytes()))['algo']
    assert type(found) is Algo
    assert found.mode is Mode.TEST
    assert {cls: dict(vars(cls)) for cls in before} == before
    found.count(); found.step()
    assert COUNTER == [2]
"""
    )
    run_python(code, tmp_path / "saved")
    run_python(code, tmp_path / "saved")


def test_classes_of_the_launcher_are_rebuilt_where_there_is_no_launcher(run_python, tmp_path):
    run_python(
        BY_VALUE
        + "import pickle; open(sys.argv[1], 'wb').write(pickle.dumps(save({'algo': Algo()})))",
        tmp_path / "saved",
    )
    run_python(
        """
import pickle, sys
from garage_like.snapshot.graph.pickling import GraphUnpickler
saved = open(sys.argv[1], 'rb').read()
first = GraphUnpickler(*pickle.loads(saved)).load()['algo']
second = GraphUnpickler(*pickle.loads(saved)).load()['algo']
assert type(first).__name__ == 'Algo' and type(first) is type(second)
assert first.mode.name == 'TEST' and first.mode is second.mode
assert first.weights.tolist() == [0, 1, 2]
assert first.count() and first.step()
""",
        tmp_path / "saved",
        name="elsewhere.py",
    )


def test_class_made_in_a_function_is_the_same_class_afterwards():
    class Local:
        pass

    found = GraphUnpickler(*saved({"value": Local()})).load()["value"]
    assert type(found) is Local
