"""What is exported is what the snapshot holds, in the format that was asked for."""

import csv
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from safetensors.numpy import load_file

from garage_like.data.env_spec import EnvSpec
from garage_like.data.table import Table
from garage_like.errors import SnapshotNotFoundError
from garage_like.interop import migrate
from garage_like.interop.export import (
    export_all_weights,
    export_program,
    export_table,
    export_weights,
)
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicMLPPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)

OBSERVATIONS = spaces.Box(-1, 1, (3,), np.float32)
BOX = EnvSpec(OBSERVATIONS, spaces.Box(-2, 2, (2,), np.float32), max_episode_length=9)
DISCRETE = EnvSpec(OBSERVATIONS, spaces.Discrete(4), max_episode_length=9)


def save(path: Path, **parts: Any) -> Path:
    """Take a snapshot of an algorithm with these attributes; return its run directory."""
    path.mkdir()
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=path))
    snapshotter.save({"algo": SimpleNamespace(**parts), "env": None}, Manifest(epoch=3))
    snapshotter.close()
    return path


def memory() -> Table:
    table = Table(5, {"reward": ("float32", ()), "observation": ("float64", (2,))})
    table.write(0, {"reward": np.array([1, 2, 3]), "observation": np.arange(6).reshape(3, 2)})
    return table


@pytest.fixture
def run(tmp_path: Path) -> Path:
    turned = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    other = np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0)
    return save(
        tmp_path / "run",
        policy=GaussianMLPPolicy(BOX, hidden_sizes=(4,)),
        critic={"turned": turned, "other": other},
        replay_buffer=SimpleNamespace(table=memory()),
    )


def read_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def read_pt(path: Path) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in torch.load(path).items()}


READERS = {"safetensors": load_file, "npz": read_npz, "pt": read_pt}


@pytest.mark.parametrize("file_format", READERS)
def test_k09_all_modules_go_into_one_file_and_come_back(
    run: Path, tmp_path: Path, file_format: str
) -> None:
    out = tmp_path / f"agent.{file_format}"
    assert export_all_weights(read_snapshot(run), file_format, out) == ["critic", "policy"]
    single = tmp_path / "policy.npz"
    export_weights(read_snapshot(run), "policy", "npz", single)
    if file_format == "pt":
        assert torch.load(out).keys() == {"critic", "policy"}
        found = {f"policy.{k}": v.numpy() for k, v in torch.load(out)["policy"].items()}
    else:
        found = READERS[file_format](out)
        assert found["critic.turned"].shape == (3, 4)
    for name, array in read_npz(single).items():
        np.testing.assert_array_equal(found[f"policy.{name}"], array)
    policy = GaussianMLPPolicy(BOX, hidden_sizes=(4,))
    migrate(policy, out, allow_partial=True)
    for name, array in policy.state_dict().items():
        np.testing.assert_array_equal(array.numpy(), found[f"policy.{name}"])


def test_samplers_and_generators_are_no_modules(tmp_path: Path) -> None:
    parts = {name: {"w": np.arange(40.0)} for name in ("critic", "rng", "sampler")}
    snapshot = read_snapshot(save(tmp_path / "run", **parts))
    assert {"rng", "sampler"} <= {*snapshot.components}
    assert export_all_weights(snapshot, "npz", tmp_path / "agent.npz") == ["critic"]


@pytest.mark.parametrize("file_format", READERS)
def test_weights_are_those_of_the_snapshot(run: Path, tmp_path: Path, file_format: str) -> None:
    out = tmp_path / "new" / f"policy.{file_format}"
    snapshot = read_snapshot(run)
    export_weights(snapshot, "policy", file_format, out)
    found, expected = READERS[file_format](out), snapshot.tensors("policy")
    assert found.keys() == {name.removesuffix(".T") for name in expected}
    assert "std_parameter" in found
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name.removesuffix(".T")], array)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_arrays_are_written_as_the_run_sees_them(run: Path, tmp_path: Path) -> None:
    export_weights(read_snapshot(run), "critic", "npz", tmp_path / "critic.npz")
    found = read_npz(tmp_path / "critic.npz")
    np.testing.assert_array_equal(found["turned"], np.arange(12.0).reshape(3, 4))
    expected = np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0)
    np.testing.assert_array_equal(found["other"], expected)


@pytest.mark.parametrize("file_format", READERS)
def test_k14_table_is_written_by_column(run: Path, tmp_path: Path, file_format: str) -> None:
    out = tmp_path / f"memory.{file_format}"
    export_table(read_snapshot(run), "replay_buffer", file_format, out)
    found = READERS[file_format](out)
    np.testing.assert_array_equal(found["reward"], np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(found["observation"], np.arange(6.0).reshape(3, 2))


def test_k14_csv_has_a_line_for_each_row_and_a_column_for_each_number(
    run: Path, tmp_path: Path
) -> None:
    export_table(read_snapshot(run), "replay_buffer", "csv", tmp_path / "memory.csv")
    with (tmp_path / "memory.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["observation[0]", "observation[1]", "reward"],
        ["0.0", "1.0", "1.0"],
        ["2.0", "3.0", "2.0"],
        ["4.0", "5.0", "3.0"],
    ]


def test_data_is_exported_without_unpickling_and_without_torch(run: Path, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
def refuse(event, args):
    if event == "pickle.find_class":
        raise RuntimeError(event)
sys.addaudithook(refuse)
from garage_like.interop.export import export_table, export_weights
from garage_like.snapshot import read_snapshot
export_weights(read_snapshot(sys.argv[1]), "policy", "safetensors", Path(sys.argv[2]) / "a")
export_table(read_snapshot(sys.argv[1]), "replay_buffer", "npz", Path(sys.argv[2]) / "b")
print("torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(run), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "False\n"


POLICIES = {
    "gaussian": lambda: GaussianMLPPolicy(BOX, hidden_sizes=(4,)),
    "categorical": lambda: CategoricalMLPPolicy(DISCRETE, hidden_sizes=(4,)),
    "deterministic": lambda: DeterministicMLPPolicy(BOX, hidden_sizes=(4,)),
    "tanh gaussian": lambda: TanhGaussianMLPPolicy(BOX, hidden_sizes=(4,)),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("kind", POLICIES)
def test_torchscript_acts_as_the_policy_most_likely_would(kind: str, tmp_path: Path) -> None:
    policy = POLICIES[kind]()
    run, out = save(tmp_path / "run", policy=policy), tmp_path / "policy.ts"
    export_program(run, "last", "policy", "torchscript", out, trust=False)
    observations = torch.from_numpy(np.random.default_rng(0).normal(size=(7, 3))).float()
    actions = torch.jit.load(out)(observations)
    found = policy(observations)
    expected = found if isinstance(found, torch.Tensor) else found[0].mode
    torch.testing.assert_close(actions, expected, rtol=0, atol=0)


def test_onnx_without_its_package_says_what_to_install(
    run: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install onnxscript"):
        export_program(run, "last", "policy", "onnx", tmp_path / "policy.onnx", trust=False)
    assert not list(tmp_path.glob("*policy*"))


def test_what_is_no_policy_of_torch_is_no_program(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"critic is a dict; only policies of garage_like.torch"):
        export_program(run, "last", "critic", "torchscript", tmp_path / "out", trust=False)
    with pytest.raises(SnapshotNotFoundError, match="SimpleNamespace has no 'nothing'"):
        export_program(run, "last", "nothing", "onnx", tmp_path / "out", trust=False)


def test_formats_and_names_are_checked(run: Path, tmp_path: Path) -> None:
    snapshot, out = read_snapshot(run), tmp_path / "out"
    with pytest.raises(ValueError, match=r"weights are written as safetensors, npz, pt; got 'csv'"):
        export_weights(snapshot, "policy", "csv", out)
    with pytest.raises(ValueError, match=r"tables are written as npz, csv, pt, saf.*; got 'onnx'"):
        export_table(snapshot, "replay_buffer", "onnx", out)
    with pytest.raises(ValueError, match=r"programs are written as onnx, torchscript; got 'pt'"):
        export_program(run, "last", "policy", "pt", out, trust=False)
    with pytest.raises(SnapshotNotFoundError, match="no component 'qf1'; there are"):
        export_weights(snapshot, "qf1", "npz", out)
    with pytest.raises(SnapshotNotFoundError, match="no table 'x'; there are replay_buffer"):
        export_table(snapshot, "x", "npz", out)
    assert not out.exists()
