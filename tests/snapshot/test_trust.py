"""Restoring runs code: of snapshots that another user wrote, only where one is told to."""

import dataclasses
import json
import os

import pytest

from garage_like.errors import SnapshotUntrustedError
from garage_like.runs.continuation import continuation
from garage_like.snapshot import read_snapshot
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.trust import user_name, why_untrusted

NOBODY = 54321
owners = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def rewrite(path, **changes):
    manifest = dataclasses.replace(Manifest.read(path), **changes)
    (path / "manifest.json").write_bytes(manifest.to_bytes())


def test_manifest_names_who_wrote_it_and_that_user_is_trusted(save):
    path = save({"value": 1})
    assert read_snapshot(path).manifest.written_by == user_name() != ""
    assert why_untrusted(path, Manifest.read(path)) is None


def test_snapshot_that_another_user_wrote_is_restored_only_if_trusted(save, snapshotter):
    path = save({"value": 1})
    rewrite(path, written_by="mallory")
    with pytest.raises(
        SnapshotUntrustedError,
        match=r"epoch_000000: restoring runs code .* it was written by 'mallory', not by .*--trust",
    ):
        snapshotter.load(path)
    assert snapshotter.load(path, trust=True) == {"value": 1}


def test_environment_may_say_so_once_and_for_all(save, snapshotter, monkeypatch):
    path = save({"value": 1})
    rewrite(path, written_by="mallory")
    monkeypatch.setenv("GARAGE_LIKE_TRUST", "1")
    assert snapshotter.load(path) == {"value": 1}
    monkeypatch.setenv("GARAGE_LIKE_TRUST", "0")
    with pytest.raises(SnapshotUntrustedError):
        snapshotter.load(path)


def test_manifest_that_names_nobody_is_judged_by_its_owner(save, snapshotter):
    path = save({"value": 1})
    rewrite(path, written_by="")
    assert snapshotter.load(path) == {"value": 1}


@owners
@pytest.mark.parametrize("name", [".", "manifest.json", "objects.pkl"])
def test_files_of_another_user_are_restored_only_if_trusted(name, save, snapshotter):
    path = save({"value": 1})
    os.chown(path / name, NOBODY, NOBODY)
    with pytest.raises(SnapshotUntrustedError, match="belongs to user 54321, not to"):
        snapshotter.load(path)
    assert snapshotter.load(path, trust=True) == {"value": 1}


def test_data_is_read_without_asking(save):
    path = save({"value": 1})
    rewrite(path, written_by="mallory")
    assert read_snapshot(path).problems() == []


def test_no_module_is_imported_for_a_run_that_is_not_trusted(save, tmp_path):
    path = save({"value": 1})
    (tmp_path / "evil.py").write_text("import pathlib; pathlib.Path(__file__ + '.mark').touch()")
    experiment = path.parent.parent / "experiment.json"
    experiment.write_text(json.dumps({"module_paths": [str(tmp_path)]}))
    rewrite(path, written_by="mallory", classes={"trainer": "evil.Trainer"})
    with (
        pytest.raises(SnapshotUntrustedError, match="'mallory'"),
        continuation(path.parent.parent, None, None).trainer(),
    ):
        pass
    assert not (tmp_path / "evil.py.mark").exists()


@owners
def test_description_of_a_run_that_another_user_wrote_is_not_trusted(save):
    path = save({"value": 1})
    experiment = path.parent.parent / "experiment.json"
    experiment.write_text("{}")
    os.chown(experiment, NOBODY, NOBODY)
    assert "experiment.json belongs to user 54321" in why_untrusted(path, Manifest.read(path))
