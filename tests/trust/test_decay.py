"""One flipped bit, anywhere: it is found, and a snapshot that holds is loaded instead.

A run of five snapshots with a replay memory of which little changes: files are shared by every
other snapshot, so one flip may damage two or three of them at once.
"""

import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from disk_model import seeded

from garage_like.data.table import Table
from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.interfaces import RLAlgorithm
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.loading import load_snapshot
from garage_like.snapshot.snapshotter import Snapshotter
from garage_like.trainer import Trainer

N_EPOCHS = 5


class Memory:
    def __init__(self):
        self._table = Table(20_000, {"observation": ("float32", (16,)), "reward": ("float32", ())})


class Gathers(RLAlgorithm):
    def __init__(self):
        self.policy = np.zeros(500)
        self.fixed = np.arange(3000.0)
        self.replay_buffer = Memory()
        self._rng = np.random.default_rng(0)

    def train_epoch(self, trainer):
        epoch = trainer._stats.total_epoch + 1
        size = 16_000 if epoch == 0 else 100
        start = 0 if epoch == 0 else 15_900 + 100 * epoch
        rows = {
            "observation": self._rng.normal(size=(size, 16)).astype("float32"),
            "reward": np.zeros(size, np.float32),
        }
        self.replay_buffer._table.write(start, rows)
        self.policy += self._rng.normal(size=500)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("decay") / "run"
    trainer = Trainer(SnapshotConfig(snapshot_dir=path, snapshot_mode="all", async_save=False))
    trainer.setup(Gathers(), None)
    trainer.train(N_EPOCHS)
    return path


def files_of(run_dir):
    """Return one path for each file, whatever the number of its names."""
    by_inode = {}
    for path in sorted((run_dir / "snapshots").rglob("*")):
        if path.is_file():
            by_inode.setdefault(path.stat().st_ino, path)
    return list(by_inode.values())


def contents(run_dir):
    snapshots = list_snapshots(run_dir)
    return {
        read_snapshot(path).epoch: {
            str(file.relative_to(path)): file.read_bytes()
            for file in path.rglob("*")
            if file.is_file() and file.name != "manifest.json"
        }
        for path in snapshots
    }


def damaged_epochs(run_dir):
    return {int(path.name[6:]) for path in list_snapshots(run_dir) if read_problems(path)}


def read_problems(path):
    try:
        return read_snapshot(path).problems()
    except SnapshotCorruptError as error:
        return [str(error)]


def holders(run_dir, inode):
    snapshots = run_dir / "snapshots"
    names = [
        path.relative_to(snapshots).parts[0]
        for path in snapshots.rglob("*")
        if path.is_file() and path.stat().st_ino == inode
    ]
    return {int(name[6:]) for name in names}


def loads_good(run_dir, expected, damaged):
    """Load; what comes is the newest good snapshot, whole, and what is passed over is named."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load_snapshot(run_dir)
    epoch = loaded.manifest.epoch
    assert epoch == max(set(expected) - damaged)
    assert {name: bytes(content) for name, content in loaded.files.items()} == expected[epoch]
    said = " ".join(str(warning.message) for warning in caught)
    for newer in range(epoch + 1, N_EPOCHS):
        assert f"snapshot of epoch {newer} is damaged and is passed over" in said


def flip(path, bit):
    with open(path, "r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))


def flip_bits(run_dir, count, rng):
    expected = contents(run_dir)
    files = files_of(run_dir)
    sizes = [path.stat().st_size for path in files]
    shared = 0
    for _ in range(count):
        # half of the places by size, half by file: small files matter as much as large ones
        weights = sizes if rng.random() < 0.5 else [1] * len(files)
        (path,) = rng.choices(files, weights)
        bit = rng.randrange(8 * path.stat().st_size)
        hit = holders(run_dir, path.stat().st_ino)
        flip(path, bit)
        try:
            assert damaged_epochs(run_dir) == hit, f"{path} bit {bit}"
            assert not {4, 3} <= hit, "the two newest share nothing"
            loads_good(run_dir, expected, hit)
        finally:
            flip(path, bit)
        shared += len(hit) > 1
    assert damaged_epochs(run_dir) == set()
    return shared


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_flipped_bit_is_found_and_an_older_snapshot_is_loaded(count, run_dir, figures):
    shared = flip_bits(run_dir, count, seeded(count))
    assert shared > count / 10
    figures["bits flipped, each found"] += count
    figures["of those, in a file that several snapshots share"] += shared


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_file_that_is_cut_emptied_or_deleted_is_found(every, run_dir, tmp_path, figures):
    expected = contents(run_dir)
    snapshots = run_dir / "snapshots"
    names = [p.relative_to(snapshots) for p in sorted(snapshots.rglob("*")) if p.is_file()]
    for name in names[::every]:
        for harm in (truncate, empty, Path.unlink):
            path = snapshots / name
            hit = {int(name.parts[0][6:])}
            kept = path.read_bytes()
            path.rename(tmp_path / "kept")
            path.write_bytes(kept)
            harm(path)
            gone = hit if harm is Path.unlink and name.name == "manifest.json" else set()
            assert damaged_epochs(run_dir) == hit - gone, f"{harm.__name__} {name}"
            (loads_good if not gone else loads_without)(run_dir, expected, hit)
            (tmp_path / "kept").replace(path)
            figures["files cut, emptied or deleted, each found"] += 1
    assert damaged_epochs(run_dir) == set()


def loads_without(run_dir, expected, hit):
    """Load where a manifest is gone: there is no such snapshot."""
    assert load_snapshot(run_dir).manifest.epoch == max(set(expected) - hit)


def test_when_all_is_deleted_the_error_lists_what_was_looked_for(run_dir, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    for path in sorted(copy.rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
    with pytest.raises(
        SnapshotNotFoundError,
        match=r"looked for snapshots/epoch_\*/manifest\.json; .*snapshots holds epoch_000000, ",
    ):
        load_snapshot(copy)
    shutil.rmtree(copy / "snapshots")
    with pytest.raises(SnapshotNotFoundError, match=r"looked for .*; the directory is empty"):
        load_snapshot(copy)


def test_when_all_are_damaged_the_error_says_how(run_dir, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    for number, snapshot in enumerate(list_snapshots(copy)):
        flip(snapshot / ("objects.pkl", "manifest.json")[number % 2], 800)
    with pytest.raises(SnapshotCorruptError, match=r"no snapshot verifies: epoch 4: .*epoch 0: "):
        load_snapshot(copy)


def test_training_goes_on_from_what_is_good_and_mends_what_it_shares(run_dir, tmp_path):
    """A bit rots in the rows that every other snapshot shares; the run goes on."""
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    for number in (0, 2, 4):
        (rows,) = (copy / f"snapshots/epoch_00000{number}").glob("tables/*/rows_000000000*")
        flip(rows, 5000)
    trainer = Trainer(SnapshotConfig(snapshot_dir=copy, snapshot_mode="last", async_save=False))
    with pytest.warns(UserWarning, match="snapshot of epoch 4 is damaged"):
        trainer.restore(copy)
    with pytest.warns(UserWarning, match="an earlier snapshot is damaged: .*epoch_000002.*rows_0"):
        trainer.resume(n_epochs=8)
    assert [read_snapshot(path).epoch for path in list_snapshots(copy)] == [6, 7]
    assert damaged_epochs(copy) == set()


def test_save_writes_at_most_twice_what_changed(folder):
    written = []

    class Counting(FileSystem):
        def write_all(self, descriptor, piece):
            written[-1] += len(piece)
            super().write_all(descriptor, piece)

    config = SnapshotConfig(snapshot_dir=folder, snapshot_mode="last", async_save=False)
    snapshotter = Snapshotter(config, filesystem=Counting())
    table = Table(10_000, {"observation": ("float32", (4096,))})
    for epoch in range(20):
        rows = np.full((table.group_rows, 4096), epoch, np.float32)
        table.write(table.group_rows * epoch, {"observation": rows})
        written.append(0)
        snapshotter.save({"table": table}, Manifest(epoch=epoch))
    assert np.median(written) <= 2 * 1.02 * rows.nbytes
    assert max(written) <= 2 * 1.02 * rows.nbytes
