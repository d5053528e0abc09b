"""Arrays of every type, through all that reads a snapshot."""

from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from garage_like.audit.run_diff import diff_runs
from garage_like.data.table import Table
from garage_like.interop.export import export_table, export_weights
from garage_like.loading import load_weights
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk.manifest import Manifest

NUMBERS = np.array([[0, 1, 2], [3, 4, 6]])
NAMES = [
    *("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float4_e2m1fn"),
    *("int4", "uint4", "complex64", "complex128", "float64", "float16", "uint32", ">f8"),
]


def dtype_of(name):
    return np.dtype(getattr(ml_dtypes, name, name))


def array_of(name):
    dtype = dtype_of(name)
    return (NUMBERS * 1j if dtype.kind == "c" else NUMBERS).astype(dtype)


def plain(array):
    """Return what readers hand out: the same numbers in a type of NumPy's."""
    if array.dtype.isbuiltin != 2:
        return array
    wide = {"f": np.float32, "b": np.float32, "i": np.int8, "u": np.uint8}
    return array.astype(wide[array.dtype.name[0]])


def save(path, policy, table=None):
    path.mkdir()
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=path))
    algo = SimpleNamespace(policy=policy, replay_buffer=SimpleNamespace(table=table))
    snapshotter.save({"algo": algo, "env": None}, Manifest(epoch=0))
    snapshotter.close()
    return path


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def run(name, tmp_path):
    table = Table(4, {"x": (dtype_of(name), (3,))})
    table.write(0, {"x": array_of(name)})
    return save(tmp_path / "run", {"w": array_of(name), "t": array_of(name).T}, table)


def test_restored_array_is_the_one_that_was_saved(name, run):
    found = Snapshotter().load(run)["algo"]
    assert found.policy["w"].dtype == dtype_of(name)
    assert found.policy["w"].tobytes() == array_of(name).tobytes()
    assert found.replay_buffer.table.column("x").dtype == dtype_of(name)
    assert found.replay_buffer.table.column("x").tobytes() == array_of(name).tobytes()


def test_reader_has_its_numbers(name, run):
    snapshot = read_snapshot(run)
    expected = plain(array_of(name))
    for found in (snapshot.tensors("policy")["w"], snapshot.table("replay_buffer")["x"]):
        assert found.shape == expected.shape
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("file_format", ["safetensors", "npz", "pt"])
def test_exported_file_has_its_numbers(file_format, name, run, tmp_path):
    out = tmp_path / f"out.{file_format}"
    export_weights(read_snapshot(run), "policy", file_format, out)
    if file_format == "npz":
        found = np.load(out)["w"]
    else:
        found = (load_file if file_format == "safetensors" else torch.load)(out)["w"].numpy()
    expected = plain(array_of(name))
    if found.dtype == np.uint8 and expected.dtype != np.uint8:  # the format has no such type
        found = found.reshape(-1).view(expected.dtype).reshape(expected.shape)
    assert np.array_equal(found, expected)
    export_table(read_snapshot(run), "replay_buffer", file_format, tmp_path / f"rows.{file_format}")
    assert (tmp_path / f"rows.{file_format}").stat().st_size


def test_difference_of_two_runs_is_told_as_a_number(name, run, tmp_path):
    other = array_of(name)
    other[0, 2] = other[0, 1]
    changed = save(tmp_path / "other", {"w": other, "t": array_of(name).T})
    part = diff_runs(run, changed).parts[0]
    assert (part.name, part.first, part.largest) == ("policy", "w", 1.0)


def test_weights_are_loaded_into_the_type_and_into_others(name, run):
    same = {"w": np.zeros_like(array_of(name)), "t": np.zeros_like(array_of(name).T)}
    load_weights(same, run)
    assert same["w"].tobytes() == array_of(name).tobytes()
    if dtype_of(name).kind != "c":
        tensors = {"w": torch.zeros(2, 3), "t": torch.zeros(3, 2)}
        load_weights(tensors, run)
        assert tensors["w"].tolist() == NUMBERS.tolist()


def test_dates_and_texts_come_back_and_are_no_numbers(tmp_path):
    dates = np.array(["2020-01-01", "2021-06-05"], "M8[D]")
    runs = [save(tmp_path / str(i), {"day": dates + i, "word": np.array(["é"])}) for i in (0, 1)]
    found = read_snapshot(runs[0]).tensors("policy")
    assert np.array_equal(found["day"], dates)
    assert found["word"].tolist() == ["é"]
    (part,) = diff_runs(*runs).parts
    assert (part.first, part.largest) == ("day", None)
    for file_format in ("safetensors", "npz", "pt"):
        export_weights(
            read_snapshot(runs[0]), "policy", file_format, tmp_path / f"out.{file_format}"
        )


def test_reading_needs_neither_jax_nor_ml_dtypes(tmp_path, run_python):
    run = save(tmp_path / "run", {name: array_of(name) for name in NAMES})
    run_python(
        """
import sys
sys.modules["ml_dtypes"] = sys.modules["jax"] = sys.modules["torch"] = None  # not to be imported
import numpy as np
from garage_like.loading import load_weights
from garage_like.snapshot import read_snapshot
tensors = read_snapshot(sys.argv[1]).tensors("policy")
for name, array in tensors.items():
    assert np.array_equal(np.abs(array), [[0, 1, 2], [3, 4, 6]]), name
target = {name: np.zeros_like(array) for name, array in tensors.items()}
load_weights(target, sys.argv[1])
assert all(np.array_equal(target[name], tensors[name]) for name in tensors)
""",
        run,
    )
