from pathlib import Path

import pytest

from garage_like.snapshot.disk.layout import (
    epoch_name,
    epochs_in,
    free_name,
    parse_epoch,
    snapshots_dir_of,
)


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "manifest.json").touch()


@pytest.mark.parametrize("epoch", [0, 9, 999_999, 1_000_000, 12_345_678_901])
def test_name_of_an_epoch_stands_for_it(epoch):
    assert parse_epoch(epoch_name(epoch)) == epoch


@pytest.mark.parametrize(
    "name",
    [
        "epoch_1", "epoch_0000001", "epoch_00000x", "epoch_-00001", "epoch_", "Epoch_000001",
        "epoch_000001.corrupt-1", ".replaced-epoch_000001", "epoch_٠٠٠٠٠١", "epoch_000001 ", "",
    ],
)  # fmt: skip
def test_other_names_stand_for_none(name):
    assert parse_epoch(name) is None


def test_epochs_are_sorted_as_numbers(tmp_path):
    make(tmp_path, *map(epoch_name, (1_000_000, 999_999, 2, 10)))
    assert epochs_in(tmp_path) == [2, 10, 999_999, 1_000_000]


def test_foreign_files_do_not_count(tmp_path):
    make(tmp_path, epoch_name(3), "orphan-1", ".saving-epoch_000004-ab", "epoch_000002.corrupt-1")
    (tmp_path / "epoch_000005").mkdir()
    (tmp_path / "epoch_000006").touch()
    (tmp_path / "epoch_000007" / "manifest.json").mkdir(parents=True)
    (tmp_path / "notes.txt").touch()
    assert epochs_in(tmp_path) == [3]


def test_snapshot_that_was_being_replaced_counts_if_asked_for(tmp_path):
    make(tmp_path, epoch_name(1), f".replaced-{epoch_name(1)}", f".replaced-{epoch_name(2)}")
    assert epochs_in(tmp_path) == [1]
    assert epochs_in(tmp_path, replaced_too=True) == [1, 2]


def test_directory_that_is_not_there_has_no_epochs(tmp_path):
    (tmp_path / "file").touch()
    assert epochs_in(tmp_path / "nothing") == []
    assert epochs_in(tmp_path / "file") == []


def test_snapshots_are_found_from_any_path(tmp_path):
    snapshots = tmp_path / "run" / "snapshots"
    make(snapshots, epoch_name(3))
    assert snapshots_dir_of(tmp_path / "run") == (snapshots, None)
    assert snapshots_dir_of(snapshots) == (snapshots, None)
    assert snapshots_dir_of(snapshots / epoch_name(3)) == (snapshots, 3)


def test_snapshot_under_another_name_stands_for_itself(tmp_path):
    make(tmp_path, "best")
    assert snapshots_dir_of(tmp_path / "best") == (tmp_path, None)


def test_manifest_of_someone_else_does_not_hide_the_snapshots_of_a_run(tmp_path):
    make(tmp_path / "run" / "snapshots", epoch_name(3))
    (tmp_path / "run" / "manifest.json").touch()
    assert snapshots_dir_of(tmp_path / "run") == (tmp_path / "run" / "snapshots", None)


def test_free_name_is_the_first_that_is_free(tmp_path):
    assert free_name(tmp_path, "orphan").name == "orphan-1"
    make(tmp_path, "orphan-1", "orphan-3")
    assert free_name(tmp_path, "orphan").name == "orphan-2"
