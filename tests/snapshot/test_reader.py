"""Snapshots as data: no code of theirs runs, no framework is loaded."""

import math

import numpy as np
import pytest
import torch

from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.snapshot import list_snapshots, read_snapshot


class Algo:
    pass


@pytest.fixture
def path(save):
    algo = Algo()
    torch.manual_seed(0)
    algo.policy = torch.nn.Linear(3, 2)
    algo.half = {"bf16": torch.randn(5).bfloat16(), "turned": np.asfortranarray(np.eye(2, 3))}
    algo.counts = np.arange(4)
    metrics = {"Return": 1.5, "Loss": "nan", "Name": "x", "Best": "-inf"}
    return save({"algo": algo}, 3, total_env_steps=40, metrics=metrics), algo


def test_tensors_are_those_that_were_saved(path):
    snapshot, algo = read_snapshot(path[0]), path[1]
    assert snapshot.components == ["algo", "half", "policy"]
    assert np.array_equal(snapshot.tensors("policy")["weight"], algo.policy.weight.detach().numpy())
    assert snapshot.tensors("algo")["counts"].tolist() == [0, 1, 2, 3]


def test_bfloat16_comes_exactly_as_float32(path):
    found = read_snapshot(path[0]).tensors("half")["bf16"]
    assert found.dtype == np.float32
    assert found.tolist() == path[1].half["bf16"].float().tolist()


def test_array_of_another_order_comes_as_its_transpose(path):
    assert read_snapshot(path[0]).tensors("half")["turned.T"].tolist() == np.eye(2, 3).T.tolist()


def test_unknown_component_is_named_with_those_there_are(path):
    with pytest.raises(
        SnapshotNotFoundError, match="no component 'qf'; there are algo, half, policy"
    ):
        read_snapshot(path[0]).tensors("qf")


def test_damaged_tensors_are_not_handed_out(path):
    file = path[0] / "tensors/policy.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(SnapshotCorruptError, match=r"policy\.safetensors: its content does not"):
        read_snapshot(path[0]).tensors("policy")
    assert len(read_snapshot(path[0]).problems()) == 1


def test_metrics_are_numbers(path):
    metrics = read_snapshot(path[0]).metrics
    assert set(metrics) == {"Return", "Loss", "Best"}
    assert metrics["Return"] == 1.5
    assert math.isnan(metrics["Loss"])
    assert metrics["Best"] == -math.inf


def test_summary_says_what_one_wants_to_know_first(path):
    summary = read_snapshot(path[0]).summary()
    assert summary["epoch"] == 3
    assert summary["total_env_steps"] == 40
    assert summary["bytes"] == sum(
        file.stat().st_size
        for file in path[0].rglob("*")
        if file.is_file() and file.name != "manifest.json"
    )


def test_snapshots_are_listed_the_oldest_first(save, tmp_path):
    paths = [save({"algo": Algo()}, epoch) for epoch in (1, 2, 11)]
    assert list_snapshots(tmp_path / "run") == paths
    assert list_snapshots(paths[1]) == [paths[1]]


def test_snapshots_of_a_run_that_has_none_are_not_listed(tmp_path):
    with pytest.raises(SnapshotNotFoundError):
        list_snapshots(tmp_path)


def test_reading_runs_no_code_and_loads_no_framework(path, run_python):
    run_python(
        """
import sys
pickled = []
sys.addaudithook(lambda event, args: pickled.append(args) if event.startswith('pickle.') else None)
from garage_like.snapshot import list_snapshots, read_snapshot
for path in list_snapshots(sys.argv[1]):
    snapshot = read_snapshot(path)
    assert snapshot.problems() == []
    snapshot.summary(), snapshot.metrics
    for component in snapshot.components:
        assert snapshot.tensors(component)
assert pickled == []
loaded = {'torch', 'tensorflow', 'dowel', 'cloudpickle', 'gymnasium'} & set(sys.modules)
assert not loaded, loaded
""",
        path[0].parent.parent,
    )


def test_hook_of_the_test_above_sees_a_pickle_that_is_loaded(path, run_python):
    ran = run_python(
        """
import sys
sys.addaudithook(lambda event, args: print(event) if event == 'pickle.find_class' else None)
from garage_like.snapshot import Snapshotter
Snapshotter().load(sys.argv[1])
""",
        path[0],
        check=False,
    )
    assert "pickle.find_class" in ran.stdout
