"""When a run saves and what it keeps, seen on the disk after real runs.

Each test is named by the promise that it proves: C of CO-GYM, K of skrl, S of Stoix, V of Velora.
"""

import itertools
import shutil

import numpy as np
import pytest

from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.disk.layout import epoch_name
from garage_like.trainer import Trainer


class Scripted(RLAlgorithm):
    """Report returns from a list, None where nothing was evaluated, and count steps."""

    def __init__(self, returns=(), steps=7, episodes=3):
        self.policy = None
        self.weights = np.zeros(10)
        self.returns, self.steps, self.episodes = list(returns), steps, episodes
        self.epoch = 0

    def train_epoch(self, trainer):
        self.weights += self.epoch
        value = self.returns[self.epoch] if self.epoch < len(self.returns) else None
        if value is not None:
            tabular.record("Evaluation/AverageReturn", value)
        trainer.total_env_steps += self.steps
        trainer._stats.total_episodes += self.episodes
        self.epoch += 1


def run(directory, n_epochs, returns=(), **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, **options))
    trainer.setup(Scripted(returns), None)
    trainer.train(n_epochs)
    return kept(directory)


def resume(directory, n_epochs, from_epoch="last", **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, **options))
    trainer.restore(directory, from_epoch)
    trainer.resume(n_epochs)
    return kept(directory)


def kept(directory):
    if not directory.exists():
        return []
    return [read_snapshot(path).epoch for path in list_snapshots(directory)]


def test_c01_saving_is_on_by_default_and_one_switch_turns_it_off(tmp_path):
    assert run(tmp_path / "on", 3)[-1] == 2
    run(tmp_path / "off", 3, snapshot_mode="none")
    assert not (tmp_path / "off").exists()


def test_c02_the_gap_is_counted_in_epochs_and_the_final_one_is_always_there(tmp_path):
    assert run(tmp_path, 9, snapshot_mode="gap", snapshot_gap=3) == [0, 3, 6, 8]


def test_s05_the_gap_may_be_counted_in_env_steps(tmp_path):
    # 7 env steps in an epoch: 20, 40 and 60 are crossed in epochs 2, 5 and 8.
    found = run(tmp_path, 10, snapshot_mode="gap", snapshot_gap=20, gap_unit="env_step")
    assert found == [2, 5, 8, 9]


def test_v10_the_gap_may_be_counted_in_episodes(tmp_path):
    # 3 episodes in an epoch: 10, 20 and 30 are crossed in epochs 3, 6 and 9.
    found = run(tmp_path, 11, snapshot_mode="gap", snapshot_gap=10, gap_unit="episode")
    assert found == [3, 6, 9, 10]


@pytest.mark.parametrize("n_epochs", [1, 5, 19, 25, 95, 100])
def test_k08_auto_gives_ten_snapshots_for_every_length_the_last_one_final(tmp_path, n_epochs):
    found = run(tmp_path, n_epochs, snapshot_mode="gap", snapshot_gap="auto")
    assert len(found) == min(n_epochs, 10)
    assert found[-1] == n_epochs - 1
    gaps = {after - before for before, after in itertools.pairwise(found)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("options", [{}, {"keep_best": 1}], ids=["default", "best"])
def test_k08_the_ten_of_auto_stay_where_no_mode_is_named(tmp_path, options):
    best = 8
    returns = [float(epoch == best) for epoch in range(25)]
    found = run(tmp_path, 25, returns, snapshot_gap="auto", **options)
    assert (best in found) == bool(options)
    assert [epoch for epoch in found if epoch != best] == [2, 4, 7, 9, 12, 14, 17, 19, 22, 24]


@pytest.mark.parametrize("gap", [0, -1])
def test_k08_zero_and_less_turn_saving_off(tmp_path, gap):
    run(tmp_path / "run", 4, snapshot_mode="gap", snapshot_gap=gap)
    assert not (tmp_path / "run").exists()


def test_s06_the_newest_are_kept_and_the_best_beside_them(tmp_path):
    returns = [5.0, 9.0, 1.0, 2.0, 3.0]
    found = run(tmp_path, 5, returns, snapshot_mode="all", max_to_keep=2, keep_best=1)
    assert found == [1, 3, 4]


def test_s06_keeping_the_best_never_deletes_the_last(tmp_path):
    found = run(tmp_path, 3, [5.0, 9.0, 1.0], max_to_keep=1, keep_best=1)
    assert found == [1, 2]


def test_k10_a_peak_between_two_gaps_is_kept_as_the_best(tmp_path):
    returns = [1.0, 2.0, 50.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    options = {"snapshot_mode": "gap", "snapshot_gap": 5, "keep_best": 1}
    assert run(tmp_path, 8, returns, **options) == [0, 2, 5, 7]
    best = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    best.restore(tmp_path, "best")
    assert best.algo.epoch == 3


def test_k10_best_is_judged_at_every_evaluation_and_where_there_is_none_not_at_all(tmp_path):
    returns = [None, 2.0, None, 1.0, None, float("nan"), None, None]
    options = {"snapshot_mode": "gap", "snapshot_gap": 100, "keep_best": 1}
    assert run(tmp_path, 8, returns, **options) == [0, 1, 7]


@pytest.mark.parametrize(("mode", "wanted"), [("max", 1), ("min", 2)])
def test_k10_metric_and_mode_say_what_is_best(tmp_path, mode, wanted):
    options = {"best_metric": "Evaluation/AverageReturn", "best_mode": mode, "keep_best": 1}
    assert wanted in run(tmp_path, 6, [5.0, 9.0, 1.0, 4.0, 4.0, 4.0], **options)


def test_k10_the_best_so_far_survives_a_resume(tmp_path):
    returns = [1.0, 90.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    options = {"keep_best": 1}
    run(tmp_path, 4, returns, **options)
    assert 1 in resume(tmp_path, 8, **options)


def test_c04_a_snapshot_copied_elsewhere_alone_resumes(tmp_path):
    run(tmp_path / "run", 3, snapshot_mode="all")
    alone = shutil.copytree(tmp_path / "run" / "snapshots" / epoch_name(1), tmp_path / "alone")
    shutil.rmtree(tmp_path / "run")
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new"))
    trainer.restore(alone)
    trainer.resume(n_epochs=6)
    assert trainer.algo.weights.tolist() == [sum(range(6))] * 10


def test_c07_any_snapshot_may_be_loaded_by_name_and_trained_on(tmp_path):
    run(tmp_path, 5, snapshot_mode="all")
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    trainer.restore(tmp_path, 2)
    assert trainer.algo.epoch == 3
    trainer.resume(n_epochs=4)
    assert kept(tmp_path) == [0, 1, 2, 3]


def test_v11_saving_a_second_time_leaves_no_stale_file(tmp_path):
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    trainer.setup(Scripted(), None)
    trainer.train(1)
    [snapshot] = list_snapshots(tmp_path)
    before = sorted(path.name for path in snapshot.rglob("*"))
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    again.setup(Scripted([1.0]), None)
    again.train(1)
    [snapshot] = list_snapshots(tmp_path)
    assert sorted(path.name for path in snapshot.rglob("*")) == before
    assert read_snapshot(snapshot).metrics["Evaluation/AverageReturn"] == 1.0


def test_names_of_late_epochs_never_collide_and_stand_in_order():
    epochs = [9, 10_000, 10_001, 999_999, 1_000_100]
    assert len({epoch_name(epoch) for epoch in epochs}) == len(epochs)
