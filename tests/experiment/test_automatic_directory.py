"""A Trainer that was given no directory makes one, named by algorithm, environment and time."""

import csv
import re

import pytest

from garage_like import Trainer
from garage_like.envs import GymEnv
from garage_like.experiment import SnapshotConfig
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import active_run_logs, logger, tabular
from garage_like.snapshot import list_snapshots


class Counter(RLAlgorithm):
    policy = None

    def train_epoch(self, trainer):
        tabular.record("Epoch", trainer.step_itr)
        trainer.step_itr += 1


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def train(env="CartPole-v1", **options):
    trainer = Trainer(SnapshotConfig(**options))
    trainer.setup(Counter(), None if env is None else GymEnv(env))
    trainer.train(3)
    return trainer


def test_c03_the_directory_is_named_by_algorithm_environment_and_time(tmp_path):
    directory = train().run_dir
    assert directory.parent == type(directory)("data/local/experiment").absolute()
    assert re.fullmatch(r"Counter_CartPole-v1_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", directory.name)
    assert list_snapshots(directory)


def test_c03_the_run_has_logs_and_leaves_the_logger_as_it_was(capsys):
    before = list(logger._outputs)
    directory = train().run_dir
    with (directory / "progress.csv").open(newline="") as file:
        assert [row["Epoch"] for row in csv.DictReader(file)] == ["0", "1", "2"]
    assert active_run_logs() is None
    assert logger._outputs == before
    assert f"Logging to {directory.absolute()}" in capsys.readouterr().out


def test_two_runs_in_one_second_get_two_directories(tmp_path):
    assert len({train().run_dir for _ in range(3)}) == 3


def test_a_run_without_environment_is_named_by_its_algorithm():
    assert re.fullmatch(r"Counter_\d{4}-.*", train(None).run_dir.name)


def test_nothing_is_made_before_training_or_if_nothing_is_saved(tmp_path):
    Trainer(SnapshotConfig()).setup(Counter(), None)
    train(snapshot_mode="none")
    assert list(tmp_path.iterdir()) == []


def test_a_restored_run_goes_on_in_a_directory_of_its_own():
    first = train().run_dir
    trainer = Trainer(SnapshotConfig())
    trainer.restore(first)
    trainer.resume(n_epochs=5)
    assert trainer.run_dir != first
    assert len((trainer.run_dir / "progress.csv").read_text().splitlines()) == 1 + 2
    assert len((first / "progress.csv").read_text().splitlines()) == 1 + 3


def test_continuing_needs_a_directory():
    with pytest.raises(ValueError, match="auto_resume=True needs a snapshot_dir"):
        SnapshotConfig(auto_resume=True)
