"""Two runs on the disk are compared as data, and the first part that differs is named."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from garage_like import Trainer, wrap_experiment
from garage_like.audit import diff_runs
from garage_like.audit.run_diff import Change
from garage_like.data.table import Table
from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.seeding import stream


class Wandering(RLAlgorithm):
    """Wander about; in one epoch, deviate in one way."""

    def __init__(self, deviation: str) -> None:
        self.deviation = deviation
        self.position = np.zeros(3)
        self.rng = stream("wandering")
        self.memory = Table(100, {"position": ("float64", (3,))})

    def train_epoch(self, trainer: Trainer) -> None:
        step = self.rng.normal(size=3)
        self.position = self.position + step
        self.memory.write(trainer.step_itr, {"position": self.position[None]})
        if trainer.step_itr == 2:
            self.deviate()
        tabular.record("Distance", float(np.abs(self.position).sum()))
        tabular.record("WalkingTime", np.random.default_rng().random())
        trainer.step_itr += 1

    def deviate(self) -> None:
        if self.deviation == "draw":
            self.rng.normal()
        elif self.deviation == "weight":
            self.position = self.position + np.array([0, 0.5, 0])
        elif self.deviation == "memory":
            self.memory.write(1, {"position": np.full((1, 3), 7.0)})


@wrap_experiment(snapshot_mode="all", archive_launch_repo=False, console=False)
def wander(ctxt=None, *, seed=1, n_epochs=4, deviation=""):
    set_seed(seed)
    trainer = Trainer(ctxt)
    trainer.setup(Wandering(deviation), None)
    trainer.train(n_epochs)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("straight") / "run")


def run(path: Path, **parameters: Any) -> Path:
    wander({"log_dir": path}, **parameters)
    return path


def test_two_starts_of_one_experiment_are_equal(straight: Path, tmp_path: Path) -> None:
    found = diff_runs(straight, run(tmp_path / "other"))
    assert found.equal, found
    assert (found.num_rows, found.epochs) == (4, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("deviation", "kind", "name", "first", "largest"),
    [
        ("draw", "generator", "algo.rng", None, None),
        ("weight", "component", "algo", "position", 0.5),
        ("memory", "table", "algo.memory", "position[1]", None),
    ],
)
def test_first_epoch_and_part_that_differ_are_named(
    straight: Path, tmp_path: Path, deviation: str, kind: str, name: str, first: str, largest: float
) -> None:
    found = diff_runs(straight, run(tmp_path / "other", deviation=deviation))
    assert not found.equal
    assert found.parameters == [Change("deviation", "", deviation)]
    assert found.epoch == 2
    part = next(part for part in found.parts if (part.kind, part.name) == (kind, name))
    assert part.first == first
    assert largest is None or part.largest == pytest.approx(largest)
    rows_part_in = {"draw": [3], "weight": [2], "memory": []}[deviation]
    assert [metric.epoch for metric in found.metrics] == rows_part_in


def test_generator_comes_before_what_was_drawn_from_it(straight: Path, tmp_path: Path) -> None:
    found = diff_runs(straight, run(tmp_path / "other", seed=2))
    assert found.epoch == 0
    assert [part.kind for part in found.parts][:1] == ["generator"]
    assert {part.kind for part in found.parts} == {"generator", "component", "table"}


def test_one_epoch_is_compared_alone(straight: Path, tmp_path: Path) -> None:
    other = run(tmp_path / "other", deviation="weight")
    before = diff_runs(straight, other, epoch=1)
    assert (before.epochs, before.num_rows, before.epoch) == ([1], 1, None)
    assert diff_runs(straight, other, epoch=3).epoch == 3


def test_two_snapshots_of_one_run_are_compared_though_their_epochs_differ(straight: Path) -> None:
    snapshots = straight / "snapshots"
    found = diff_runs(snapshots / "epoch_000001", snapshots / "epoch_000002")
    assert [part.name for part in found.parts][:2] == ["algo.rng", "algo"]


def test_versions_and_options_that_differ_are_told(straight: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(straight, tmp_path / "other"))
    wander({"log_dir": tmp_path / "third", "keep_best": 2})
    found = diff_runs(straight, tmp_path / "third")
    assert found.options == [Change("keep_best", 0, 2)]
    assert not found.equal
    experiment = json.loads((other / "experiment.json").read_text())
    experiment["options"]["name"] = "of another name"
    (other / "experiment.json").write_text(json.dumps(experiment))
    assert diff_runs(straight, other).equal


def test_runs_without_a_common_epoch_are_an_error_that_lists_theirs(
    straight: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(straight, tmp_path / "other"))
    for epoch in (0, 1, 2):
        shutil.rmtree(other / "snapshots" / f"epoch_{epoch:06d}")
    diff_runs(straight, other)
    with pytest.raises(SnapshotNotFoundError, match=r"epoch 1 is not in both: .* of epoch 3$"):
        diff_runs(straight, other, epoch=1)
    with pytest.raises(SnapshotNotFoundError, match="no such directory"):
        diff_runs(straight, tmp_path / "nope")


def test_damaged_file_that_must_be_read_is_an_error(straight: Path, tmp_path: Path) -> None:
    other = run(tmp_path / "other", deviation="weight")
    file = other / "snapshots" / "epoch_000002" / "tensors" / "algo.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    with pytest.raises(SnapshotCorruptError, match=r"algo.safetensors: its content does not match"):
        diff_runs(straight, other)


def test_comparing_unpickles_nothing_and_loads_no_framework(straight: Path, tmp_path: Path) -> None:
    other = run(tmp_path / "other", deviation="memory")
    code = """
import sys
sys.addaudithook(lambda event, args: sys.exit(event) if event == "pickle.find_class" else None)
from pathlib import Path
from garage_like.audit import diff_runs
print(diff_runs(Path(sys.argv[1]), Path(sys.argv[2])).epoch)
print([name for name in ("torch", "tensorflow", "dowel", "cloudpickle") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(straight), str(other)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "2\n[]\n"
