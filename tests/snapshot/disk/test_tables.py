import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from garage_like.data.table import GROUP_BYTES, Table
from garage_like.errors import SnapshotNotFoundError
from garage_like.interfaces import RLAlgorithm
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest

ROWS = GROUP_BYTES // 8


class Memory:
    def __init__(self):
        self._table = Table(
            4 * ROWS, {"key": ("int32", ()), "flag": ("bool", ()), "x": ("uint8", (3,))}
        )
        assert self._table.group_rows == ROWS
        self.cursor = 0

    def add(self, count, seed=0):
        rng = np.random.default_rng(seed)
        rows = {
            "key": rng.integers(0, 1 << 30, count).astype(np.int32),
            "flag": rng.integers(0, 2, count).astype(bool),
            "x": rng.integers(0, 255, (count, 3)).astype(np.uint8),
        }
        first = min(count, self._table.capacity - self.cursor)
        self._table.write(self.cursor, {name: values[:first] for name, values in rows.items()})
        if first < count:
            self._table.write(0, {name: values[first:] for name, values in rows.items()})
        self.cursor = (self.cursor + count) % self._table.capacity


class Algo(RLAlgorithm):
    def __init__(self):
        self.replay_buffer = Memory()
        self.priorities = Table(10, {"p": ("float64", ())})


@pytest.fixture
def algo():
    return Algo()


@pytest.fixture
def snapshotter(tmp_path):
    made = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    yield made
    made.close()


def save(snapshotter, algo, epoch):
    snapshotter.save({"algo": algo}, Manifest(epoch=epoch))
    report = snapshotter.wait()
    assert (report.committed, report.errors) == ([epoch], [])
    return snapshotter.store.path(epoch)


def row_files(path):
    return sorted(path.glob("tables/replay_buffer/*"))


def columns(memory):
    return {name: memory._table.column(name).copy() for name in memory._table.columns}


def assert_equal(memory, expected):
    for name, values in expected.items():
        assert np.array_equal(memory._table.column(name), values), name


def test_rows_come_back_with_cursor_and_identity(snapshotter, algo, tmp_path):
    algo.replay_buffer.add(2 * ROWS + 5)
    save(snapshotter, algo, 0)
    restored = snapshotter.load(tmp_path)["algo"].replay_buffer
    assert_equal(restored, columns(algo.replay_buffer))
    assert restored.cursor == algo.replay_buffer.cursor
    assert restored._table.identity == algo.replay_buffer._table.identity


def linked(ours, theirs):
    pairs = zip(row_files(ours), row_files(theirs), strict=False)
    return [a.stat().st_ino == b.stat().st_ino for a, b in pairs]


def test_c06_groups_that_have_not_changed_are_links_to_the_one_before_the_last(snapshotter, algo):
    algo.replay_buffer.add(3 * ROWS)
    first, second = save(snapshotter, algo, 0), save(snapshotter, algo, 1)
    algo.replay_buffer.add(10)
    third = save(snapshotter, algo, 2)
    names = [path.name for path in row_files(third)]
    assert names == [f"rows_{n * ROWS:09d}.safetensors" for n in range(4)]
    assert linked(first, third) == [True, True, True]
    algo.replay_buffer.add(ROWS)
    fourth = save(snapshotter, algo, 3)
    assert linked(second, fourth) == [False, True, True]
    assert linked(third, fourth) == [False, False, False, False]


def test_what_changed_an_epoch_ago_is_copied_from_the_disk_and_not_from_memory(snapshotter, algo):
    algo.replay_buffer.add(2 * ROWS)
    save(snapshotter, algo, 0), save(snapshotter, algo, 1)
    algo.replay_buffer.add(ROWS)
    third, fourth = save(snapshotter, algo, 2), save(snapshotter, algo, 3)
    assert linked(third, fourth) == [False, False, False]
    assert [p.read_bytes() for p in row_files(fourth)] == [p.read_bytes() for p in row_files(third)]


def test_group_that_grew_is_written_again(snapshotter, algo, tmp_path):
    for epoch in range(3):
        algo.replay_buffer.add(100, seed=epoch)
        save(snapshotter, algo, epoch)
    assert_equal(snapshotter.load(tmp_path)["algo"].replay_buffer, columns(algo.replay_buffer))
    assert len(snapshotter.load(tmp_path, 0)["algo"].replay_buffer._table.column("key")) == 100


def test_any_reader_of_safetensors_can_use_the_rows(snapshotter, algo):
    algo.replay_buffer.add(7)
    (path,) = row_files(save(snapshotter, algo, 0))
    found = load_file(path)
    for name, values in columns(algo.replay_buffer).items():
        assert np.array_equal(found[name], values)
        assert found[name].dtype == values.dtype


def test_tables_are_read_as_data(snapshotter, algo, tmp_path):
    algo.replay_buffer.add(ROWS + 1)
    save(snapshotter, algo, 0)
    reader = read_snapshot(tmp_path)
    assert reader.tables == ["replay_buffer", "algo.priorities"]
    for name, values in columns(algo.replay_buffer).items():
        assert np.array_equal(reader.table("replay_buffer")[name], values)
    assert reader.table("algo.priorities")["p"].shape == (0,)
    with pytest.raises(
        SnapshotNotFoundError, match=r"no table 'memory'; there are replay_buffer, algo.priorities"
    ):
        reader.table("memory")


def test_snapshot_copied_alone_has_all_rows(snapshotter, algo, tmp_path):
    algo.replay_buffer.add(2 * ROWS)
    save(snapshotter, algo, 0)
    save(snapshotter, algo, 1).rename(tmp_path / "alone")
    snapshotter.store.remove([0])
    assert_equal(
        snapshotter.load(tmp_path / "alone")["algo"].replay_buffer, columns(algo.replay_buffer)
    )


def test_another_table_in_the_same_place_is_written_whole(snapshotter, algo, tmp_path):
    algo.replay_buffer.add(ROWS, seed=1)
    save(snapshotter, algo, 0)
    algo.replay_buffer = Memory()
    algo.replay_buffer.add(ROWS, seed=2)
    save(snapshotter, algo, 1)
    assert_equal(snapshotter.load(tmp_path)["algo"].replay_buffer, columns(algo.replay_buffer))


def test_restored_table_copies_nothing_that_the_snapshot_it_came_from_has(
    snapshotter, algo, tmp_path
):
    algo.replay_buffer.add(2 * ROWS)
    before = row_files(save(snapshotter, algo, 0))
    again = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    restored = again.load(tmp_path)["algo"]
    again.open(again.store.manifest(0))
    restored.replay_buffer.add(1)
    save(again, restored, 1)
    after = row_files(save(again, restored, 2))
    assert [path.stat().st_ino for path in after[:2]] == [path.stat().st_ino for path in before]
    assert_equal(again.load(tmp_path)["algo"].replay_buffer, columns(restored.replay_buffer))
    again.close()


class BrokenDisk(FileSystem):
    def __init__(self):
        self.broken = False

    def sync_dir(self, path):
        if self.broken:
            raise OSError(28, "No space left on device")
        super().sync_dir(path)


def test_after_a_failed_save_the_next_one_holds_the_live_rows(algo, tmp_path):
    disk = BrokenDisk()
    snapshotter = Snapshotter(
        SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"), filesystem=disk
    )
    algo.replay_buffer.add(2 * ROWS)
    save(snapshotter, algo, 0)
    algo.replay_buffer.add(ROWS, seed=1)
    disk.broken = True
    snapshotter.save({"algo": algo}, Manifest(epoch=1))
    (error,) = snapshotter.wait().errors
    assert "No space left on device; earlier snapshots are intact" in str(error)
    disk.broken = False
    algo.replay_buffer.add(5, seed=2)
    save(snapshotter, algo, 2)
    assert_equal(snapshotter.load(tmp_path)["algo"].replay_buffer, columns(algo.replay_buffer))
    assert not list(Path(tmp_path).glob("snapshots/.saving-*"))
    snapshotter.close()


def test_ring_that_wraps_while_the_writer_is_held_back_is_saved_as_it_was(algo, tmp_path):
    import threading

    class HeldDisk(FileSystem):
        go_on = threading.Event()

        def make_dir(self, path):
            if "epoch_000001" in path.name:
                assert self.go_on.wait(30)
            super().make_dir(path)

    snapshotter = Snapshotter(
        SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"), filesystem=HeldDisk()
    )
    algo.replay_buffer.add(4 * ROWS - 10)
    save(snapshotter, algo, 0)
    algo.replay_buffer.add(5, seed=1)
    expected, cursor = columns(algo.replay_buffer), algo.replay_buffer.cursor
    snapshotter.save({"algo": algo}, Manifest(epoch=1))
    algo.replay_buffer.add(2 * ROWS, seed=2)
    HeldDisk.go_on.set()
    assert snapshotter.wait().committed == [1]
    restored = snapshotter.load(tmp_path)["algo"].replay_buffer
    assert_equal(restored, expected)
    assert restored.cursor == cursor
    snapshotter.close()


def test_capacity_that_is_not_used_costs_nothing_on_the_disk(snapshotter, tmp_path):
    algo = Algo()
    algo.replay_buffer._table = Table(1_000_000, {"x": ("float32", (100,))})
    algo.replay_buffer._table.write(0, {"x": np.ones((10, 100), np.float32)})
    path = save(snapshotter, algo, 0)
    size = sum(os.path.getsize(file) for file in path.rglob("*") if file.is_file())
    assert size < 50_000
