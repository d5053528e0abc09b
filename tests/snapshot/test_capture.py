"""A capture is a copy; what is in it puts the same objects together again."""

import threading

import numpy as np
import pytest
import torch

from garage_like.errors import SnapshotCorruptError, SnapshotSaveError
from garage_like.snapshot.capture import capture, load_graph
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.staging import Staging


class Algo:
    pass


class Trained(Algo):
    def __init__(self, seed=0):
        torch.manual_seed(seed)
        self.policy = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Linear(8, 2))
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.rng = np.random.default_rng(seed)
        self.actor = [p.detach().numpy().T for p in self.policy.parameters()]
        self.step()

    def step(self):
        noise = torch.from_numpy(self.rng.normal(size=(4, 3)).astype(np.float32))
        self.optimizer.zero_grad()
        self.policy(noise).square().mean().backward()
        self.optimizer.step()


def files_of(captured):
    return {
        name: bytearray(b"".join(bytes(memoryview(p).cast("B")) for p in pieces))
        for name, pieces in captured.files.items()
    }


def manifest_of(captured):
    return Manifest(epoch=0, arrays=captured.arrays, tables=captured.tables)


def load(captured):
    return load_graph(manifest_of(captured), files_of(captured), "epoch_000000")


def test_state_comes_back_bit_for_bit():
    graph = {"algo": Trained(), "stats": {"steps": 3}}
    assert leaves(load(capture(graph))) == leaves(graph)


def test_restored_algorithm_trains_on_bit_for_bit():
    algo = Trained()
    restored = load(capture({"algo": algo}))["algo"]
    for _ in range(5):
        algo.step()
        restored.step()
    assert leaves({"algo": restored}) == leaves({"algo": algo})


def test_what_training_does_afterwards_is_not_in_it():
    algo = Trained()
    before = leaves({"algo": algo})
    captured = capture({"algo": algo}, Staging())
    algo.step()
    assert leaves(load(captured)) == before


def test_captures_with_stagings_of_their_own_do_not_disturb_each_other():
    algo = Trained()
    first, before = capture({"algo": algo}, Staging()), leaves({"algo": algo})
    algo.step()
    second, after = capture({"algo": algo}, Staging()), leaves({"algo": algo})
    assert leaves(load(first)) == before
    assert leaves(load(second)) == after


def test_equal_states_give_equal_files():
    assert files_of(capture({"algo": Trained()})) == files_of(capture({"algo": Trained()}))


def test_restored_state_gives_the_tensor_files_that_it_came_from():
    before = capture({"algo": Trained()})
    ours, theirs = files_of(before), files_of(capture(load(before)))
    assert ours.pop("objects.pkl")
    assert theirs.pop("objects.pkl")
    assert theirs == ours


def test_capture_changes_nothing():
    algo = Trained()
    before = leaves({"algo": algo})
    capture({"algo": algo})
    assert leaves({"algo": algo}) == before


def test_unpicklable_attribute_is_named_and_what_to_do_is_said():
    algo = Trained()
    algo.policy._lock = threading.Lock()
    with pytest.raises(
        SnapshotSaveError,
        match=r"^algo\.policy\._lock cannot be pickled: TypeError: .*lock.*"
        r"keep algo\.policy\._lock, or all of algo\.policy \(torch\..*Sequential\), outside",
    ):
        capture({"algo": algo})


def test_class_of_the_users_is_told_what_to_leave_out():
    algo = Trained()
    algo.lock = threading.Lock()
    with pytest.raises(
        SnapshotSaveError,
        match=r"^algo\.lock cannot be pickled: TypeError: .*lock.*"
        r"leave it out of the object's state \(__getstate__\)",
    ):
        capture({"algo": algo})


def test_state_that_is_too_deep_is_an_error_of_one_line():
    algo = Algo()
    algo.chain = []
    link = algo.chain
    for _ in range(100_000):
        link.append([])
        link = link[0]
    with pytest.raises(SnapshotSaveError, match="cannot be pickled"):
        capture({"algo": algo})


def test_many_small_arrays_are_captured():
    algo = Algo()
    algo.history = [np.full(1, i) for i in range(3000)]
    assert [a[0] for a in load(capture({"algo": algo}))["algo"].history] == list(range(3000))


def test_tensor_that_the_manifest_names_but_no_file_holds_is_reported():
    captured = capture({"algo": Trained()})
    files = files_of(captured)
    captured.arrays[0]["pieces"][0][1] = "gone"
    with pytest.raises(SnapshotCorruptError, match=r"epoch_000000: .*do not agree.*gone"):
        load_graph(manifest_of(captured), files, "epoch_000000")


def test_manifest_without_the_objects_file_is_reported():
    captured = capture({"algo": Trained()})
    files = files_of(captured)
    del files["objects.pkl"]
    with pytest.raises(SnapshotCorruptError, match=r"do not agree.*objects\.pkl"):
        load_graph(manifest_of(captured), files, "epoch_000000")


@pytest.mark.parametrize("nbytes", [0, 10**15, -1, "many"])
def test_sizes_that_do_not_add_up_are_reported_before_memory_is_taken(nbytes):
    captured = capture({"algo": Trained()})
    captured.arrays[0]["nbytes"] = nbytes
    with pytest.raises(SnapshotCorruptError, match="do not agree"):
        load_graph(manifest_of(captured), files_of(captured), "epoch_000000")
