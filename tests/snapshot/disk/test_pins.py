"""A pinned snapshot is never pruned, whenever it was pinned."""

import pytest

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk import pins
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore


def commit(store, *epochs):
    for epoch in epochs:
        store.commit(Manifest(epoch=epoch), {"objects.pkl": [b"objects"]})


@pytest.fixture
def store(tmp_path):
    store = SnapshotStore.of_run(tmp_path)
    store.open()
    commit(store, 0, 1, 2)
    return store


def test_pin_and_unpin_say_whether_they_changed_anything(store):
    assert pins.pin(store.path(1))
    assert not pins.pin(store.path(1))
    assert pins.pinned_epochs(store.dir) == {1}
    assert pins.unpin(store.path(1))
    assert not pins.unpin(store.path(1))
    assert pins.pinned_epochs(store.dir) == set()


@pytest.mark.parametrize("change", [pins.pin, pins.unpin])
def test_pinning_what_is_not_there_is_an_error(change, store):
    with pytest.raises(SnapshotNotFoundError, match="epoch_000009: no snapshot is there to pin"):
        change(store.path(9))


def test_pruning_leaves_a_pinned_snapshot(tmp_path):
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path, async_save=False))
    for epoch in range(6):
        path = snapshotter.save({"value": epoch}, Manifest(epoch=epoch))
        if epoch == 1:
            pins.pin(path)
    assert snapshotter.store.epochs() == [1, 4, 5]
    pins.unpin(snapshotter.store.path(1))
    Snapshotter(snapshotter.config).prune()
    assert snapshotter.store.epochs() == [4, 5]


def test_snapshot_that_is_pinned_while_it_is_pruned_stays(store):
    class PinsFirst(FileSystem):
        def rename(self, source, target):
            if source.name == "epoch_000000":
                pins.pin(source)
            super().rename(source, target)

    store = SnapshotStore(store.dir, PinsFirst())
    assert store.remove([0, 1]) == [1]
    assert store.epochs() == [0, 2]


def test_snapshot_that_was_pinned_comes_back_after_a_kill_in_the_middle_of_pruning(store):
    class Killed(FileSystem):
        def rename(self, source, target):
            if source.name.startswith(".saving-removed"):
                raise KeyboardInterrupt
            super().rename(source, target)

    pins.pin(store.path(0))
    with pytest.raises(KeyboardInterrupt):
        SnapshotStore(store.dir, Killed()).remove([0])
    assert store.epochs() == [1, 2]
    store.open()
    assert store.epochs() == [0, 1, 2]
    assert pins.pinned_epochs(store.dir) == {0}


def test_epoch_that_is_saved_again_stays_pinned(store):
    pins.pin(store.path(2))
    commit(store, 2)
    assert pins.pinned_epochs(store.dir) == {2}


def test_pin_of_what_was_pruned_meanwhile_is_an_error(store):
    class PrunesFirst(FileSystem):
        def write_file(self, path, pieces):
            store.remove([0])
            super().write_file(path, pieces)

    with pytest.raises(SnapshotNotFoundError):
        pins.pin(store.path(0), PrunesFirst())
