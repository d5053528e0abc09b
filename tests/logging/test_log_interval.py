"""`log_interval`: how often a row is written, and that none is lost or changed by a resume."""

import csv
import itertools
import json

import numpy as np
import pytest

from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs, tabular, track_data
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.snapshot.schedule import is_row_due
from garage_like.trainer import Trainer


class Counter(RLAlgorithm):
    """Count epochs, and track numbers in each."""

    def __init__(self):
        self.policy = None
        self.rng = np.random.default_rng(3)

    def train_epoch(self, trainer):
        tabular.record("Epoch", trainer.step_itr)
        for value in self.rng.normal(size=3):
            track_data("Value", float(value))
            track_data("Value (max)", float(value))
        trainer.total_env_steps += 10
        trainer.step_itr += 1


def trained(directory, n_epochs, from_epoch=None, **options):
    """Train, or go back to an epoch and train on from there; return the rows of the log."""
    config = SnapshotConfig(snapshot_dir=directory, snapshot_mode="all", **options)
    with RunLogs(directory, existing=directory.exists(), console=False):
        trainer = Trainer(config)
        if from_epoch is None:
            trainer.setup(Counter(), None)
            trainer.train(n_epochs)
        else:
            trainer.restore(directory, from_epoch)
            trainer.resume(n_epochs)
    rows = list(csv.DictReader((directory / "progress.csv").read_text().splitlines()))
    lines = map(json.loads, (directory / "progress.jsonl").read_text().splitlines())
    for row, line in zip(rows, lines, strict=True):
        assert row == {key: str(value) for key, value in line.items()}
    return [{k: v for k, v in row.items() if not k.endswith("Time")} for row in rows]


@pytest.mark.parametrize("n_epochs", [1, 5, 19, 95, 99, 100, 101, 250, 1000])
def test_k02_auto_writes_a_hundred_rows_for_every_length_and_the_final_one(n_epochs):
    config = SnapshotConfig(snapshot_dir=".", log_interval="auto")
    due = [epoch for epoch in range(n_epochs) if is_row_due(config, epoch, n_epochs)]
    assert len(due) == min(n_epochs, 100)
    assert due[-1] == n_epochs - 1
    gaps = {b - a for a, b in itertools.pairwise(due)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("interval", "wanted"), [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 2, 4, 5]), (9, [0, 5]), (0, [])]
)
def test_k02_a_number_writes_every_so_many_epochs_and_zero_none(interval, wanted):
    config = SnapshotConfig(snapshot_dir=".", log_interval=interval)
    assert [epoch for epoch in range(6) if is_row_due(config, epoch, 6)] == wanted


@pytest.mark.parametrize(("value", "error"), [("often", TypeError), (1.5, TypeError)])
def test_k02_what_is_no_interval_is_refused(value, error):
    with pytest.raises(error, match=f"log_interval must be an integer or 'auto', got {value!r}"):
        SnapshotConfig(snapshot_dir=".", log_interval=value)


def test_rows_stand_for_the_epochs_that_are_due(tmp_path):
    rows = trained(tmp_path / "run", 8, log_interval=3)
    assert [int(row["Epoch"]) for row in rows] == [0, 3, 6, 7]
    assert [int(row["TotalEnvSteps"]) for row in rows] == [10, 40, 70, 80]


def test_what_was_tracked_is_of_all_epochs_since_the_row_before(tmp_path):
    rows = trained(tmp_path / "run", 8, log_interval=3)
    values = np.random.default_rng(3).normal(size=(8, 3))
    parts = [values[:1], values[1:4], values[4:7], values[7:]]
    assert [float(row["Value (max)"]) for row in rows] == [part.max() for part in parts]
    assert [float(row["Value"]) for row in rows] == pytest.approx([p.mean() for p in parts])


@pytest.mark.parametrize("from_epoch", [0, 2, 4, 6])
def test_a_resume_between_two_rows_writes_the_rows_of_a_run_never_stopped(tmp_path, from_epoch):
    whole = trained(tmp_path / "whole", 8, log_interval=3)
    trained(tmp_path / "resumed", 8, log_interval=3)
    assert trained(tmp_path / "resumed", 8, from_epoch, log_interval=3) == whole


class BreaksOff(Counter):
    """Fail in the epoch after one that `log_interval` let go by."""

    fails_in = None

    def train_epoch(self, trainer):
        if trainer.step_itr == self.fails_in:
            raise RuntimeError("broken off")
        super().train_epoch(trainer)


def test_a_row_that_was_let_go_by_is_written_if_a_resume_ends_in_the_next_epoch(
    tmp_path, monkeypatch
):
    config = SnapshotConfig(snapshot_dir=tmp_path, log_interval=4, snapshot_mode="all")
    with RunLogs(tmp_path, existing=False, console=False):
        trainer = Trainer(config)
        trainer.setup(BreaksOff(), None)
        trainer.train(9)
        for epoch in (5, 4):  # one that was let go by, and one that was not
            monkeypatch.setattr(BreaksOff, "fails_in", epoch + 1)
            trainer = Trainer(config)
            trainer.restore(tmp_path, epoch)
            with pytest.raises(RuntimeError, match="broken off"):
                trainer.resume()
            rows = list(csv.DictReader((tmp_path / "progress.csv").read_text().splitlines()))
            assert [row["Epoch"] for row in rows] == list("045"[: epoch - 2])


def test_without_rows_snapshots_still_know_the_metrics(tmp_path):
    directory = tmp_path / "run"
    config = SnapshotConfig(snapshot_dir=directory, log_interval=0)
    with RunLogs(directory, existing=False, console=False):
        trainer = Trainer(config)
        trainer.setup(Counter(), None)
        trainer.train(2)
    assert not (directory / "progress.csv").exists()
    assert read_snapshot(directory).manifest.metrics["Epoch"] == 1
