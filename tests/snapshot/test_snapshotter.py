"""Saving, keeping, listing, verifying and loading, put together."""

import errno
import threading
import time

import numpy as np
import pytest

from garage_like.errors import SnapshotSaveError
from garage_like.snapshot import SnapshotConfig, Snapshotter, list_snapshots
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest, plain_numbers
from garage_like.snapshot.schedule import Progress


class Algo:
    def __init__(self, value):
        self.weights = np.full(10, float(value))


def config(tmp_path, **options):
    return SnapshotConfig(snapshot_dir=tmp_path, **{"async_save": False, **options})


def epochs(tmp_path):
    return [int(path.name[-6:]) for path in list_snapshots(tmp_path)]


def run(snapshotter, values):
    """Save where it is due, epoch by epoch, a metric for each."""
    for epoch, value in enumerate(values):
        before, now = Progress(epoch - 1, len(values)), Progress(epoch, len(values))
        metrics = {"Evaluation/AverageReturn": value}
        if snapshotter.is_due(before, now, metrics):
            metrics = plain_numbers(metrics)
            on_gap = snapshotter.on_gap(before, now)
            snapshotter.save(
                {"algo": Algo(epoch)}, Manifest(epoch=epoch, metrics=metrics, on_gap=on_gap)
            )


def test_saved_graph_is_loaded(snapshotter, tmp_path):
    snapshotter.save({"algo": Algo(3), "stats": {"steps": 7}}, Manifest(epoch=0))
    graph = Snapshotter().load(tmp_path / "run")
    assert graph["algo"].weights.tolist() == [3.0] * 10
    assert graph["stats"] == {"steps": 7}


def test_epoch_that_was_asked_for_is_loaded(snapshotter, tmp_path):
    for epoch in range(3):
        snapshotter.save({"algo": Algo(epoch)}, Manifest(epoch=epoch))
    assert Snapshotter().load(tmp_path / "run", 1)["algo"].weights[0] == 1
    assert Snapshotter().load(tmp_path / "run", "first")["algo"].weights[0] == 0


def test_snapshots_are_listed_and_verified(snapshotter, tmp_path):
    paths = [snapshotter.save({"algo": Algo(e)}, Manifest(epoch=e)) for e in range(2)]
    assert list(snapshotter.list()) == paths
    assert snapshotter.verify(tmp_path / "run") == {path: [] for path in paths}
    (paths[0] / "objects.pkl").unlink()
    assert list(map(len, snapshotter.verify(tmp_path / "run").values())) == [1, 0]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"snapshot_mode": "last"}, [5, 6]),
        ({"snapshot_mode": "all"}, [0, 1, 2, 3, 4, 5, 6]),
        ({"snapshot_mode": "gap", "snapshot_gap": 3}, [0, 3, 6]),
        ({"snapshot_mode": "gap_overwrite", "snapshot_gap": 2}, [4, 6]),
        ({"snapshot_mode": "gap_and_last", "snapshot_gap": 4}, [0, 4, 5, 6]),
        ({"snapshot_mode": "last", "keep_best": 1}, [2, 5, 6]),
        ({"snapshot_mode": "last", "keep_period": 3}, [0, 3, 5, 6]),
    ],
)
def test_what_is_kept_is_on_the_disk(options, kept, tmp_path):
    run(Snapshotter(config(tmp_path, **options)), [1, 2, 9, 3, 4, 5, 6])
    assert epochs(tmp_path) == kept


def test_best_and_last_are_kept(tmp_path):
    run(Snapshotter(config(tmp_path, max_to_keep=1, keep_best=1)), [5, 9, 1])
    assert epochs(tmp_path) == [1, 2]


def test_best_of_an_earlier_process_counts(tmp_path):
    run(Snapshotter(config(tmp_path, keep_best=1)), [1, 9])
    later = Snapshotter(config(tmp_path, keep_best=1))
    later.open()
    for epoch in (2, 3, 4):
        later.save(
            {"algo": Algo(epoch)}, Manifest(epoch=epoch, metrics={"Evaluation/AverageReturn": 3})
        )
    assert epochs(tmp_path) == [1, 3, 4]


def test_row_without_a_number_is_no_trouble(tmp_path):
    run(Snapshotter(config(tmp_path, keep_best=1)), [1, float("nan"), "none", None, 2.5, 0])
    assert epochs(tmp_path) == [4, 5]


def test_snapshot_that_cannot_be_read_is_never_removed(tmp_path):
    run(Snapshotter(config(tmp_path)), [0, 0])
    manifest = tmp_path / "snapshots/epoch_000000/manifest.json"
    manifest.write_text("{")
    later = Snapshotter(config(tmp_path))
    for epoch in (2, 3, 4):
        later.save({"algo": Algo(epoch)}, Manifest(epoch=epoch))
    assert epochs(tmp_path) == [0, 3, 4]


def test_saving_opens_the_directory_by_itself(tmp_path):
    (tmp_path / "snapshots" / ".saving-epoch_000000-ab").mkdir(parents=True)
    snapshotter = Snapshotter(config(tmp_path))
    snapshotter.is_due(Progress(0, 2), Progress(1, 2), {})
    snapshotter.save({"algo": Algo(0)}, Manifest(epoch=0))
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["epoch_000000"]


class NothingCanBeRemoved(FileSystem):
    broken = True

    def rename(self, source, target):
        if self.broken and "removed" in target.name:
            raise PermissionError(13, "Permission denied")
        super().rename(source, target)


def test_old_snapshot_that_cannot_be_removed_is_tried_again_later(tmp_path):
    filesystem = NothingCanBeRemoved()
    snapshotter = Snapshotter(config(tmp_path), filesystem=filesystem)
    for epoch in range(2):
        snapshotter.save({"algo": Algo(epoch)}, Manifest(epoch=epoch))
    with pytest.warns(UserWarning, match="old snapshots could not be removed: .*Permission denied"):
        snapshotter.save({"algo": Algo(2)}, Manifest(epoch=2))
    assert epochs(tmp_path) == [0, 1, 2]
    filesystem.broken = False
    snapshotter.save({"algo": Algo(3)}, Manifest(epoch=3))
    assert epochs(tmp_path) == [2, 3]


def test_snapshot_that_someone_deleted_is_no_trouble(tmp_path):
    import shutil

    snapshotter = Snapshotter(config(tmp_path))
    for epoch in range(2):
        snapshotter.save({"algo": Algo(epoch)}, Manifest(epoch=epoch))
    shutil.rmtree(tmp_path / "snapshots/epoch_000000")
    with pytest.warns(UserWarning, match="old snapshots could not be removed"):
        snapshotter.save({"algo": Algo(2)}, Manifest(epoch=2))
    snapshotter.save({"algo": Algo(3)}, Manifest(epoch=3))
    assert epochs(tmp_path) == [2, 3]


class FullWhenAsked(FileSystem):
    """Keep the writer waiting; then say that the disk is full."""

    def __init__(self):
        self.is_writing, self.may_fail = threading.Event(), threading.Event()

    def write_all(self, descriptor, piece):
        self.is_writing.set()
        assert self.may_fail.wait(60)
        raise OSError(errno.ENOSPC, "No space left on device")


def test_save_may_fail_while_the_directory_is_read(tmp_path):
    Snapshotter(config(tmp_path)).save({"algo": Algo(0)}, Manifest(epoch=0))
    filesystem = FullWhenAsked()
    snapshotter = Snapshotter(config(tmp_path, async_save=True), filesystem=filesystem)
    snapshotter.save({"algo": Algo(1)}, Manifest(epoch=1))
    assert filesystem.is_writing.wait(60)
    read = snapshotter.store.manifest

    def read_while_the_writer_fails(epoch, *only):
        filesystem.may_fail.set()
        deadline = time.monotonic() + 1.0
        while not snapshotter._failed and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        return read(epoch, *only)

    snapshotter.store.manifest = read_while_the_writer_fails
    assert snapshotter.is_due(Progress(1, 9), Progress(2, 9), {})
    (error,) = snapshotter.close().errors
    assert "No space left" in str(error)
    assert epochs(tmp_path) == [0]


def test_state_that_cannot_be_captured_leaves_earlier_snapshots(tmp_path):
    snapshotter = Snapshotter(config(tmp_path))
    snapshotter.save({"algo": Algo(0)}, Manifest(epoch=0))
    algo = Algo(1)
    algo.generator = (x for x in ())
    with pytest.raises(SnapshotSaveError, match=r"algo\.generator cannot be pickled"):
        snapshotter.save({"algo": algo}, Manifest(epoch=1))
    assert epochs(tmp_path) == [0]
    del algo.generator
    snapshotter.save({"algo": algo}, Manifest(epoch=1))
    assert epochs(tmp_path) == [0, 1]


def test_without_a_configuration_it_only_loads():
    with pytest.raises(ValueError, match="made without a SnapshotConfig, so it only loads"):
        Snapshotter().save({}, Manifest(epoch=0))
