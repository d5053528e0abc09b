"""`train` called several times in one run, by one Trainer or two, and ended in between."""

import csv
import os

import numpy as np
import pytest

from garage_like import Trainer, wrap_experiment
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot


class DiedError(Exception):
    """Stands for a kill: nothing is flushed by it that a snapshot does not hold."""


class Walk(RLAlgorithm):
    def __init__(self):
        self.place = np.zeros(1)

    def train_epoch(self, trainer):
        if os.environ.get("DIES_AT") == str(trainer.step_itr):
            raise DiedError
        self.place = self.place * 0.5 + np.random.rand()
        tabular.record("Place", self.place[0])
        trainer.step_itr += 1


def places(run_dir):
    with open(run_dir / "progress.csv", newline="") as file:
        return [row["Place"] for row in csv.DictReader(file)]


def names(run_dir):
    return [path.name for path in list_snapshots(run_dir)]


def whole(run_dir, n_epochs):
    np.random.seed(1)
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir))
    trainer.setup(Walk(), None)
    trainer.train(n_epochs)
    return places(run_dir)


def staged(run_dir):
    @wrap_experiment(log_dir=run_dir, auto_resume=True, snapshot_mode="all", console=False)
    def experiment(ctxt):
        np.random.seed(1)
        trainer = Trainer(ctxt)
        trainer.setup(Walk(), None)
        for n_epochs in (2, 3, 2):
            trainer.train(n_epochs)

    experiment()


@pytest.mark.parametrize("dies_at", [1, 2, 4, 5, 6])
def test_a_run_is_resumed_in_its_stage(tmp_path, monkeypatch, dies_at):
    monkeypatch.setenv("DIES_AT", str(dies_at))
    with pytest.raises(DiedError):
        staged(tmp_path / "run")
    monkeypatch.delenv("DIES_AT")
    staged(tmp_path / "run")
    assert places(tmp_path / "run") == whole(tmp_path / "whole", 7)
    assert names(tmp_path / "run") == [f"epoch_{epoch:06}" for epoch in range(7)]


def test_restore_and_resume_again_and_again(tmp_path):
    np.random.seed(1)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run", snapshot_mode="all"))
    trainer.setup(Walk(), None)
    trainer.train(2)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run", snapshot_mode="all"))
    trainer.restore(tmp_path / "run")
    trainer.resume(4)
    trainer.resume(6)
    assert places(tmp_path / "run") == whole(tmp_path / "whole", 6)
    assert not list((tmp_path / "run").rglob("*orphan*"))


def test_a_second_trainer_goes_on_in_the_directory(tmp_path):
    @wrap_experiment(log_dir=tmp_path / "run", snapshot_mode="all", console=False)
    def experiment(ctxt):
        np.random.seed(1)
        algo = Walk()
        for n_epochs in (2, 3):
            trainer = Trainer(ctxt)
            trainer.setup(algo, None)
            trainer.train(n_epochs)

    experiment()
    assert names(tmp_path / "run") == [f"epoch_{epoch:06}" for epoch in range(5)]
    assert not list((tmp_path / "run").rglob("*orphan*"))
    assert read_snapshot(tmp_path / "run").manifest.train_args["stage"] == 1


def test_a_save_between_trainings_knows_where_the_logs_end(tmp_path):
    np.random.seed(1)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run", snapshot_mode="all"))
    trainer.setup(Walk(), None)
    trainer.train(2)
    trainer.save(1)
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run"))
    again.restore(tmp_path / "run")
    again.resume(4)
    assert places(tmp_path / "run") == whole(tmp_path / "whole", 4)


class Pulled(Walk):
    def __init__(self, pull=0.5):
        super().__init__()
        self.pull = pull


def test_a_run_whose_directory_is_made_for_it_knows_stage_and_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer = Trainer(SnapshotConfig())
    trainer.setup(Pulled(), None)
    trainer.train(2)
    trainer.train(3)
    assert read_snapshot(trainer.run_dir).manifest.train_args["stage"] == 1
    other = Trainer(SnapshotConfig())
    other.restore(trainer.run_dir)
    other.change({"algo.pull": 0.25})
    other.resume(additional_epochs=1)
    assert other.run_dir != trainer.run_dir
    found = read_snapshot(other.run_dir).manifest
    assert [change["name"] for change in found.changes] == ["algo.pull"]
