"""Slots of optimizers that lie in rows: pickled as vectors, restored and shown one by one."""

import copy
from collections import defaultdict

import numpy as np
import pytest
import torch

from garage_like.snapshot.capture import capture, load_graph
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.tensors import parse
from garage_like.snapshot.graph import pickling
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds.torch_slots import rows_of
from garage_like.torch.optimizers.flat_memory import lay_flat

SLOTS = ("step", "exp_avg", "exp_avg_sq")


class Algo:
    def __init__(self, flat=True):
        torch.manual_seed(1)
        self.policy = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=0.1)
        self.step()
        if flat:
            for name in SLOTS:
                lay_flat([slots[name] for slots in self.optimizer.state.values()])

    def step(self):
        self.optimizer.zero_grad()
        self.policy(torch.ones(2, 3)).square().sum().backward()
        self.optimizer.step()

    def slot(self, number, name):
        return list(self.optimizer.state.values())[number][name]


@pytest.fixture
def algo():
    return Algo()


def files_of(captured):
    return {
        name: bytearray(b"".join(bytes(memoryview(p).cast("B")) for p in pieces))
        for name, pieces in captured.files.items()
    }


def reload(value):
    captured = capture({"algo": value})
    manifest = Manifest(epoch=0, arrays=captured.arrays)
    return load_graph(manifest, files_of(captured), "epoch_000000")["algo"]


def in_rows(value):
    return b"fill_state" in capture({"algo": value}).objects


@pytest.mark.parametrize("flat", [True, False])
def test_optimizer_comes_back_and_goes_on_bit_for_bit(flat):
    algo = Algo(flat)
    assert in_rows(algo) is flat
    restored = reload(algo)
    assert leaves({"algo": restored}) == leaves({"algo": algo})
    assert type(restored.optimizer.state) is defaultdict
    assert list(restored.optimizer.state) == restored.optimizer.param_groups[0]["params"]
    assert [list(slots) for slots in restored.optimizer.state.values()] == [list(SLOTS)] * 4
    for _ in range(3):
        algo.step()
        restored.step()
    assert leaves({"algo": restored}) == leaves({"algo": algo})


def test_what_is_restored_lies_in_rows_again(algo):
    restored = reload(algo)
    assert in_rows(restored)
    assert leaves({"algo": reload(restored)}) == leaves({"algo": algo})


def tensors_in(captured):
    """Return type, shape and bytes of all that the files show, by file and name."""
    return {
        (path, name): (tensor.dtype, tensor.shape, bytes(tensor.content))
        for path, content in files_of(captured).items()
        if path.startswith("tensors/")
        for name, tensor in parse(content, path).items()
    }


def test_files_show_each_slot_under_its_own_name(algo):
    in_one = tensors_in(capture({"algo": algo}))
    names = {name for _, name in in_one}
    assert {f"state[{n}].{slot}" for n in range(4) for slot in SLOTS} <= names
    assert in_one == tensors_in(capture({"algo": Algo(flat=False)}))


def held_before(algo, value):
    vars(algo).update({"held": value, **{k: vars(algo).pop(k) for k in list(vars(algo))}})


def held_after(algo, value):
    algo.held = value


@pytest.mark.parametrize("hold", [held_before, held_after])
def test_slot_that_something_else_holds_stays_one_object(algo, hold):
    hold(algo, algo.slot(2, "exp_avg"))
    for _ in range(2):
        restored = reload(algo)
        assert restored.held is restored.slot(2, "exp_avg")
        assert leaves({"algo": restored}) == leaves({"algo": algo})


@pytest.mark.parametrize("hold", [held_before, held_after])
def test_state_that_something_else_holds_stays_one_object(algo, hold):
    hold(algo, algo.optimizer.state)
    for _ in range(2):
        restored = reload(algo)
        assert restored.held is restored.optimizer.state


@pytest.mark.parametrize("hold", [held_before, held_after])
def test_slots_of_a_parameter_that_something_else_holds_stay_one_dict(algo, hold):
    hold(algo, next(iter(algo.optimizer.state.values())))
    restored = reload(algo)
    assert restored.held is next(iter(restored.optimizer.state.values()))


def test_memory_that_something_else_looks_at_stays_shared(algo):
    algo.row = lay_flat([slots["exp_avg"] for slots in algo.optimizer.state.values()])
    algo.part = algo.slot(1, "exp_avg")[1:]
    algo.array = algo.slot(0, "exp_avg_sq").numpy()
    assert in_rows(algo)
    restored = reload(algo)
    restored.row.fill_(7.0)
    assert restored.slot(3, "exp_avg").tolist() == [7.0, 7.0]
    assert restored.part.tolist() == [7.0, 7.0]
    restored.array[:] = 5.0
    assert restored.slot(0, "exp_avg_sq").tolist() == [[5.0] * 3] * 3


def replaced(algo):
    list(algo.optimizer.state.values())[1]["exp_avg"] = torch.full((3,), 9.0)


def moved(algo):
    algo.slot(1, "exp_avg").data = torch.full((3,), 9.0)


def transposed(algo):
    algo.slot(0, "exp_avg").t_()


def resized(algo):
    algo.slot(0, "exp_avg").resize_(3, 2)


def retyped(algo):
    algo.slot(1, "exp_avg").data = algo.slot(1, "exp_avg").half()


def needing_a_gradient(algo):
    algo.slot(0, "exp_avg").requires_grad_()


def with_a_gradient(algo):
    algo.slot(0, "exp_avg").grad = torch.ones(3, 3)


def with_an_attribute(algo):
    algo.slot(0, "exp_avg").note = "mine"


def with_another_slot(algo):
    next(iter(algo.optimizer.state.values()))["extra"] = torch.ones(3)


def without_a_parameter(algo):
    del algo.optimizer.state[algo.policy[0].weight]


def in_another_order(algo):
    slots = algo.optimizer.state.pop(algo.policy[0].weight)
    algo.optimizer.state[algo.policy[0].weight] = slots


def loaded(algo):
    algo.optimizer.load_state_dict(copy.deepcopy(algo.optimizer.state_dict()))


STILL_IN_ROWS = (without_a_parameter, loaded)


@pytest.mark.parametrize(
    "change",
    [
        replaced,
        moved,
        transposed,
        resized,
        retyped,
        needing_a_gradient,
        with_a_gradient,
        with_an_attribute,
        with_another_slot,
        without_a_parameter,
        in_another_order,
        loaded,
    ],
)
def test_change_since_the_last_capture_is_noticed(algo, change):
    assert in_rows(algo)
    change(algo)
    assert in_rows(algo) is (change in STILL_IN_ROWS)
    restored = reload(algo)
    assert leaves({"algo": restored}) == leaves({"algo": algo})
    keys = [list(slots) for slots in algo.optimizer.state.values()]
    assert [list(slots) for slots in restored.optimizer.state.values()] == keys
    for ours, theirs in zip(
        algo.optimizer.state.values(), restored.optimizer.state.values(), strict=True
    ):
        for name, slot in ours.items():
            found = theirs[name]
            assert (found.shape, found.stride(), found.dtype) == (
                slot.shape,
                slot.stride(),
                slot.dtype,
            )
            assert found.requires_grad is slot.requires_grad
            assert found.__dict__ == slot.__dict__


def test_slots_of_another_parameter_are_noticed(algo):
    assert in_rows(algo)
    slots = list(algo.optimizer.state.items())
    algo.other = torch.nn.Parameter(torch.full((3, 3), 4.0))
    algo.optimizer.state.clear()
    algo.optimizer.state.update({algo.other: slots[0][1], **dict(slots[1:])})
    restored = reload(algo)
    assert next(iter(restored.optimizer.state)) is restored.other


def on_memory(algo, memory, *, of_one_storage):
    """Move the slots called exp_avg onto an array's memory, one after another."""
    start, whole = 0, torch.from_numpy(memory)
    for slots in algo.optimizer.state.values():
        old = slots["exp_avg"]
        end = start + old.numel()
        part = whole[start:end] if of_one_storage else torch.from_numpy(memory[start:end])
        slots["exp_avg"] = part.copy_(old.reshape(-1)).view(old.shape)
        start = end


def test_slots_side_by_side_are_no_row_if_each_has_memory_of_its_own(algo):
    on_memory(algo, np.zeros(20, np.float32), of_one_storage=False)
    assert not in_rows(algo)
    assert leaves({"algo": reload(algo)}) == leaves({"algo": algo})


def test_slots_within_an_array_that_is_met_first_are_shown_as_they_are(algo):
    memory = np.arange(27, dtype=np.float32)
    on_memory(algo, memory[7:], of_one_storage=True)
    held_before(algo, memory)
    algo.beginning = memory[:7]
    assert in_rows(algo)
    shown = {
        name: content for (_, name), (*_, content) in tensors_in(capture({"algo": algo})).items()
    }
    for number in range(4):
        expected = algo.slot(number, "exp_avg").numpy().tobytes()
        assert shown[f"state[{number}].exp_avg"] == expected
    restored = reload(algo)
    assert leaves({"algo": restored}) == leaves({"algo": algo})
    restored.held[7] = 99.0
    assert restored.slot(0, "exp_avg")[0, 0] == 99.0


def test_rows_are_looked_for_once(algo):
    assert rows_of(algo.optimizer) is rows_of(algo.optimizer) is not None
    algo.step()
    known = rows_of(algo.optimizer)
    replaced(algo)
    assert rows_of(algo.optimizer) is None
    algo.optimizer = Algo().optimizer
    assert rows_of(algo.optimizer) not in (None, known)


def test_slots_are_pickled_one_by_one_for_a_copy(algo):
    pickler = pickling.GraphPickler({"value": algo})
    assert b"fill_state" not in pickler.save()
