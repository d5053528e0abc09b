"""Finding the snapshot to load: by epoch, the first, the last, the best; passing over bad ones."""

import json
import os
import shutil

import numpy as np
import pytest

from garage_like.errors import (
    SnapshotCorruptError,
    SnapshotMismatchError,
    SnapshotNotFoundError,
)
from garage_like.snapshot.choosing import snapshot_path
from garage_like.snapshot.disk.store import SnapshotStore
from garage_like.snapshot.loading import load_snapshot, run_dir_of


def graph(epoch):
    return {"algo": {"weights": np.full(100, float(epoch))}}


@pytest.fixture
def run(save, tmp_path):
    """A run with snapshots of epochs 2, 9 and 10, the second of them the best."""
    for epoch, value in ((2, 5.0), (9, 8.0), (10, "nan")):
        save(graph(epoch), epoch, metrics={"Evaluation/AverageReturn": value, "Loss": -epoch})
    return tmp_path / "run"


def epoch_of(loaded):
    epoch = loaded.graph()["algo"]["weights"][0]
    assert epoch == loaded.manifest.epoch
    return epoch


def record(run, **options):
    (run / "experiment.json").write_text(json.dumps({"options": options}))


def flip_a_bit(file, place=-1):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.unlink()
    file.write_bytes(content)


def damage(run, epoch):
    flip_a_bit(run / f"snapshots/epoch_{epoch:06d}/objects.pkl")


@pytest.mark.parametrize(
    ("which", "epoch"), [("first", 2), ("last", 10), ("best", 9), (2, 2), (9, 9), (10, 10)]
)
def test_snapshot_that_was_asked_for_is_loaded(which, epoch, run):
    assert epoch_of(load_snapshot(run, which)) == epoch
    assert snapshot_path(run, which).name == f"epoch_{epoch:06d}"


@pytest.mark.parametrize("path", ["run", "run/snapshots", "run/snapshots/epoch_000010"])
def test_path_may_be_the_run_its_snapshots_or_one_of_them(path, run, tmp_path, monkeypatch):
    assert epoch_of(load_snapshot(tmp_path / path)) == 10
    assert epoch_of(load_snapshot(str(tmp_path / path))) == 10
    monkeypatch.chdir(tmp_path / path)
    loaded = load_snapshot(".")
    assert epoch_of(loaded) == 10
    assert run_dir_of(loaded.path) == run


def test_given_snapshot_is_loaded_whatever_else_there_is(run):
    assert epoch_of(load_snapshot(run / "snapshots/epoch_000002", "last")) == 2


def test_snapshot_copied_alone_under_another_name_is_loaded(run, tmp_path):
    shutil.move(run / "snapshots/epoch_000009", tmp_path / "my best one")
    shutil.rmtree(run)
    loaded = load_snapshot(tmp_path / "my best one")
    assert epoch_of(loaded) == 9
    assert run_dir_of(loaded.path) is None
    assert snapshot_path(tmp_path / "my best one") == tmp_path / "my best one"


@pytest.mark.parametrize(("mode", "epoch"), [("max", 2), ("min", 10)])
def test_best_is_judged_by_any_metric_either_way(mode, epoch, run):
    record(run, best_metric="Loss", best_mode=mode)
    assert load_snapshot(run, "best").manifest.epoch == epoch


def test_without_the_metric_there_is_no_best(run):
    record(run, best_metric="Return")
    with pytest.raises(SnapshotNotFoundError, match="no snapshot has metric 'Return'"):
        load_snapshot(run, "best")


def test_best_passes_over_manifests_that_are_damaged(run):
    flip_a_bit(run / "snapshots/epoch_000009/manifest.json")
    with pytest.warns(UserWarning, match="snapshot of epoch 9 is passed over"):
        assert load_snapshot(run, "best").manifest.epoch == 2


def test_missing_epoch_is_named_with_those_there_are(run):
    for look in (load_snapshot, snapshot_path):
        with pytest.raises(
            SnapshotNotFoundError, match="no snapshot of epoch 7; there are 2, 9, 10"
        ):
            look(run, 7)


def test_many_epochs_are_summed_up(save, tmp_path):
    for epoch in range(12):
        save(graph(epoch), epoch)
    with pytest.raises(SnapshotNotFoundError, match="there are 12 of them, from 0 to 11"):
        load_snapshot(tmp_path / "run", 99)


@pytest.mark.parametrize("which", ["newest", -1, True, 1.0, None])
def test_other_ways_to_ask_are_refused(which, run):
    for look in (load_snapshot, snapshot_path):
        with pytest.raises(ValueError, match="from_epoch must be an epoch, 'first', 'last' or"):
            look(run, which)


def test_damaged_last_one_is_passed_over_with_a_warning(run):
    damage(run, 10)
    with pytest.warns(
        UserWarning,
        match="snapshot of epoch 10 is damaged and is passed over, going back to epoch 9: "
        r".*objects\.pkl: its content does not match",
    ):
        loaded = load_snapshot(run)
    assert epoch_of(loaded) == 9
    assert list(loaded.bad) == [10]


@pytest.mark.filterwarnings("ignore:snapshot of epoch")
def test_several_damaged_ones_are_passed_over(run):
    damage(run, 10)
    damage(run, 9)
    loaded = load_snapshot(run)
    assert epoch_of(loaded) == 2
    assert sorted(loaded.bad) == [9, 10]


def test_none_that_verifies_is_an_error_that_lists_them_all(run):
    for epoch in (2, 9, 10):
        damage(run, epoch)
    with pytest.raises(
        SnapshotCorruptError, match=r"no snapshot verifies: epoch 10: .*; epoch 9: .*; epoch 2: "
    ):
        load_snapshot(run)


@pytest.mark.parametrize("which", ["first", 2])
def test_damaged_one_that_was_asked_for_is_an_error(which, run):
    damage(run, 2)
    with pytest.raises(SnapshotCorruptError, match="does not match its digest"):
        load_snapshot(run, which)


def test_newer_format_is_not_passed_over(run, save, monkeypatch):
    monkeypatch.setattr("garage_like.snapshot.disk.manifest.FORMAT_VERSION", 3)
    save(graph(11), 11)
    monkeypatch.setattr("garage_like.snapshot.disk.manifest.FORMAT_VERSION", 2)
    with pytest.raises(SnapshotMismatchError, match="snapshot format 3 is newer than 2"):
        load_snapshot(run)
    assert epoch_of(load_snapshot(run, 10)) == 10


def test_nothing_there_is_an_error(tmp_path):
    with pytest.raises(SnapshotNotFoundError, match="nothing: no such directory"):
        load_snapshot(tmp_path / "nothing")


def test_empty_directory_is_an_error(tmp_path):
    with pytest.raises(
        SnapshotNotFoundError, match=r"no snapshot found there; .*; the directory is empty"
    ):
        load_snapshot(tmp_path)


def test_file_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotNotFoundError, match="it is a file, expected a run directory"):
        load_snapshot(tmp_path / "file")


def test_directory_with_foreign_files_alone_is_an_error_that_lists_them(tmp_path):
    for name in ("notes.txt", "epoch_7", "model.pkl"):
        (tmp_path / name).touch()
    with pytest.raises(SnapshotNotFoundError, match=r"holds epoch_7, model\.pkl, notes\.txt"):
        load_snapshot(tmp_path)


def test_foreign_files_among_snapshots_are_ignored(run):
    (run / "snapshots/epoch_000099").mkdir()
    (run / "snapshots/epoch_00012").mkdir()
    (run / "snapshots/zzz.tmp").touch()
    shutil.copytree(run / "snapshots/epoch_000010", run / "snapshots/epoch_000010 (copy)")
    assert epoch_of(load_snapshot(run)) == 10


def test_snapshot_that_a_kill_left_being_replaced_is_found(run):
    os.rename(run / "snapshots/epoch_000010", run / "snapshots/.replaced-epoch_000010")
    loaded = load_snapshot(run)
    assert epoch_of(loaded) == 10
    assert run_dir_of(loaded.path) == run


def test_snapshot_removed_by_a_run_under_way_is_not_taken_for_damaged(run, monkeypatch):
    removed = []
    epochs = SnapshotStore.epochs

    def epochs_then_remove(store):
        found = epochs(store)
        if not removed:
            removed.append(10)
            shutil.rmtree(store.dir / "epoch_000010")
        return found

    monkeypatch.setattr(SnapshotStore, "epochs", epochs_then_remove)
    loaded = load_snapshot(run)
    assert epoch_of(loaded) == 9
    assert loaded.bad == {}


def test_link_to_a_run_is_followed(run, tmp_path):
    (tmp_path / "link").symlink_to(run)
    assert epoch_of(load_snapshot(tmp_path / "link")) == 10
