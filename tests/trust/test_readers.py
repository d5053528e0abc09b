"""A reader that loads while a run saves and prunes never fails and never goes back in time."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot import Snapshotter, list_snapshots, read_snapshot
from garage_like.snapshot.disk.manifest import Manifest

ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).with_name("racing_writer.py")


def read_everything(run_dir):
    """Load in several ways; return the epoch of each."""
    loader = Snapshotter()
    part = loader.load(run_dir)["part"]
    assert part.weights[0] == part.weights[-1], "a mixture of two snapshots"
    found = [int(part.weights[0]) - 1, read_snapshot(run_dir).epoch]
    loader.load(run_dir, "first")
    for path in list_snapshots(run_dir):
        # At the moment at which another of its epoch takes its place, it bears this name.
        assert path.name.removeprefix(".replaced-").startswith("epoch_")
    assert [problem for problems in loader.verify(run_dir).values() for problem in problems] == []
    return found


@pytest.mark.parametrize("num_saves", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_reader_never_fails_while_a_run_saves_and_prunes(num_saves, folder, figures):
    (folder / "run").mkdir()
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder / "run"), str(num_saves)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    newest = loads = 0
    try:
        assert writer.stdout.readline() == b"begun\n"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            while writer.poll() is None:
                for epoch in read_everything(folder / "run"):
                    assert epoch >= newest
                    newest = epoch
                    loads += 1
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert writer.returncode == 0
    assert read_everything(folder / "run") == [num_saves - 1] * 2
    assert loads > 10
    figures["saves and prunes that readers raced with"] += num_saves
    figures["loads during these"] += loads


def test_epoch_that_is_pruned_while_it_is_read_is_not_found(save, monkeypatch):
    path = save({"value": 1}, 0)
    save({"value": 2}, 1)
    read = Manifest.read

    def pruned(snapshot):
        if snapshot == path and path.exists():
            path.rename(path.with_name("gone"))
        return read(snapshot)

    monkeypatch.setattr(Manifest, "read", pruned)
    with pytest.raises(SnapshotNotFoundError, match="no snapshot of epoch 0; there are 1"):
        Snapshotter().load(path.parent, 0)


def test_newest_that_is_pruned_while_it_is_read_gives_way_to_a_newer_one(save, monkeypatch):
    path = save({"value": 1}, 0)
    read = Manifest.read

    def pruned(snapshot):
        if snapshot == path and path.exists():
            path.rename(path.with_name("epoch_000005"))
        return read(snapshot)

    monkeypatch.setattr(Manifest, "read", pruned)
    assert Snapshotter().load(path.parent) == {"value": 1}
    path.with_name("epoch_000005").rename(path)
    assert read_snapshot(path.parent).path.name == "epoch_000005"
