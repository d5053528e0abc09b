"""Snapshots on the disk: committed in one step, linked where nothing changed, cleared up after."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from garage_like.errors import SnapshotMismatchError, SnapshotSaveError
from garage_like.snapshot.digests import digest_of
from garage_like.snapshot.filesystem import FileSystem
from garage_like.snapshot.manifest import Manifest
from garage_like.snapshot.store import SnapshotStore, problems_of

OPERATIONS = ("make_dir", "write_file", "sync_file", "sync_dir", "link", "rename", "remove_tree")


class Recording(FileSystem):
    """Write down what is done, and fail where it is asked for."""

    def __init__(self):
        self.done = []
        self.fail = lambda operation, path: False

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in OPERATIONS:
            return found

        def call(*arguments):
            path = (
                Path(os.readlink(f"/proc/self/fd/{arguments[0]}"))
                if name == "sync_file"
                else (arguments[-1] if name in ("link", "rename") else arguments[0])
            )
            self.done.append((name, path.name))
            if self.fail(name, path):
                raise OSError(errno.EIO, "Input/output error")
            return found(*arguments)

        return call


@pytest.fixture
def filesystem():
    return Recording()


@pytest.fixture
def store(tmp_path, filesystem):
    store = SnapshotStore.of_run(tmp_path, filesystem)
    store.open()
    filesystem.done.clear()
    return store


def commit(store, epoch, **files):
    contents = {"objects.pkl": b"objects", "tensors/policy.safetensors": b"weights", **files}
    return store.commit(
        Manifest(epoch=epoch), {name: [content] for name, content in contents.items()}
    )


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def content(path, name="objects.pkl"):
    return (path / name).read_bytes()


def inode(path, name="objects.pkl"):
    return (path / name).stat().st_ino


# ---- committing -------------------------------------------------------------------------------


def test_committed_snapshot_is_there_and_verifies(store):
    path = commit(store, 7)
    assert path == store.dir / "epoch_000007"
    assert store.epochs() == [7]
    assert names(store.dir) == ["epoch_000007"]
    assert problems_of(path) == []
    assert store.manifest(7).files["objects.pkl"] == digest_of([b"objects"])


def test_pieces_of_a_file_are_written_one_after_the_other(store):
    path = store.commit(
        Manifest(epoch=0),
        {"a": [b"12", bytearray(b"3"), memoryview(b"45")], "b": [], "c/d/e": [b"x"]},
    )
    assert content(path, "a") == b"12345"
    assert content(path, "b") == b""
    assert content(path, "c/d/e") == b"x"
    assert problems_of(path) == []


def test_everything_is_durable_before_the_name_is(store, filesystem):
    commit(store, 0)
    steps = filesystem.done
    published = steps.index(("rename", "epoch_000000"))
    for name in ("objects.pkl", "policy.safetensors", "manifest.json"):
        assert steps.index(("sync_file", name)) < published
    assert steps.index(("sync_dir", "tensors")) < published
    assert steps.index(("sync_file", "manifest.json")) > steps.index(("sync_file", "objects.pkl"))
    assert steps[published - 1][0] == "sync_dir"
    assert steps[published + 1] == ("sync_dir", "snapshots")


def test_unchanged_file_is_a_hard_link_to_the_one_before(store):
    first = commit(store, 0)
    second = commit(store, 1, **{"objects.pkl": b"changed"})
    assert inode(second, "tensors/policy.safetensors") == inode(first, "tensors/policy.safetensors")
    assert inode(second) != inode(first)
    assert problems_of(second) == []


def test_file_that_was_checked_already_is_not_read_again(store, tmp_path, monkeypatch):
    first = commit(store, 0)
    later = SnapshotStore.of_run(tmp_path)
    later.open(verified=store.manifest(0))
    monkeypatch.setattr("garage_like.snapshot.writing.check_file", None)
    assert inode(commit(later, 1)) == inode(first)


def test_file_of_the_same_content_under_another_name_is_no_link(store):
    first = commit(store, 0)
    second = store.commit(Manifest(epoch=1), {"other.pkl": [b"objects"]})
    assert inode(second, "other.pkl") != inode(first)


def test_snapshot_is_whole_without_the_one_that_it_links_to(store, tmp_path):
    first, second = commit(store, 0), commit(store, 1)
    shutil.rmtree(first)
    assert problems_of(second) == []


def test_disk_without_hard_links_is_written_to_in_full(store, filesystem):
    first = commit(store, 0)
    filesystem.fail = lambda operation, path: operation == "link"
    second = commit(store, 1)
    assert inode(second) != inode(first)
    assert problems_of(second) == []


def test_file_that_rotted_since_another_process_wrote_it_is_not_linked_to(store, tmp_path):
    first = commit(store, 0)
    (first / "objects.pkl").write_bytes(b"0bjects")
    later = SnapshotStore.of_run(tmp_path)
    later.open()
    second = commit(later, 1)
    assert content(second) == b"objects"
    assert problems_of(second) == []
    assert inode(second, "tensors/policy.safetensors") == inode(first, "tensors/policy.safetensors")


def test_newest_manifest_that_is_damaged_is_no_obstacle(store, tmp_path):
    commit(store, 0)
    (commit(store, 1) / "manifest.json").write_text("{")
    later = SnapshotStore.of_run(tmp_path)
    later.open()
    assert problems_of(commit(later, 2)) == []


def test_file_that_vanished_is_written_anew(store):
    first = commit(store, 0)
    (first / "objects.pkl").unlink()
    assert problems_of(commit(store, 1)) == []


def test_saving_an_epoch_again_replaces_its_snapshot(store):
    commit(store, 3)
    path = commit(store, 3, **{"objects.pkl": b"second"})
    assert content(path) == b"second"
    assert problems_of(path) == []
    assert names(store.dir) == ["epoch_000003"]


def test_leftover_directory_without_a_manifest_is_replaced(store):
    (store.dir / "epoch_000003").mkdir()
    assert problems_of(commit(store, 3)) == []


# ---- failing ----------------------------------------------------------------------------------


def operations_of(filesystem, save):
    """Return how many operations a save takes."""
    filesystem.done.clear()
    save()
    return len(filesystem.done)


def failing_at(filesystem, number, save):
    """Save, the operation of this number failing; return the error, if there was one."""
    filesystem.done.clear()
    filesystem.fail = lambda *_: len(filesystem.done) == number + 1
    try:
        save()
    except SnapshotSaveError as error:
        return str(error)
    finally:
        filesystem.fail = lambda *_: False
    return None


def test_failure_of_any_operation_leaves_what_was_there(store, filesystem):
    def save():
        commit(SnapshotStore(store.dir, filesystem), 1, **{"objects.pkl": b"try"})

    commit(store, 0)
    count = operations_of(filesystem, save)
    failures = 0
    for number in range(count):
        if 1 in store.epochs():
            store.remove([1])
        error = failing_at(filesystem, number, save)
        committed = 1 in store.epochs()
        if error is None:
            assert filesystem.done[number][0] == "link", "only links have another way"
            assert committed
        else:
            failures += 1
            assert "epoch_000001: the snapshot could not be written: [Errno 5]" in error
            assert "earlier snapshots are intact" in error
        assert names(store.dir) == ["epoch_000000"] + ["epoch_000001"] * committed
        assert all(problems_of(store.path(epoch)) == [] for epoch in store.epochs())
    assert failures == count - 1 >= 8


def test_failure_while_replacing_an_epoch_leaves_the_one_before_or_the_new(store, filesystem):
    def save():
        commit(store, 1, **{"objects.pkl": b"new"})

    commit(store, 1)
    found = set()
    for number in range(operations_of(filesystem, save)):
        commit(store, 1)
        failing_at(filesystem, number, save)
        assert store.epochs() == [1]
        assert (store.dir / "epoch_000001").is_dir()
        assert problems_of(store.path(1)) == []
        found.add(content(store.path(1)))
    assert found == {b"objects", b"new"}


def test_training_can_go_on_saving_after_a_failure(store, filesystem):
    commit(store, 0)
    filesystem.fail = lambda operation, path: operation == "sync_file"
    with pytest.raises(SnapshotSaveError):
        commit(store, 1)
    filesystem.fail = lambda *_: False
    assert problems_of(commit(store, 2)) == []
    assert store.epochs() == [0, 2]


def test_interruption_from_the_keyboard_leaves_nothing_behind(store, filesystem):
    commit(store, 0)

    def interrupt(operation, path):
        if path.name == "manifest.json":
            raise KeyboardInterrupt
        return False

    filesystem.fail = interrupt
    with pytest.raises(KeyboardInterrupt):
        commit(store, 1)
    assert names(store.dir) == ["epoch_000000"]


# ---- opening ----------------------------------------------------------------------------------


def test_first_opening_makes_the_directory_durable(tmp_path, filesystem):
    run_dir = tmp_path / "data" / "run"
    run_dir.mkdir(parents=True)
    SnapshotStore.of_run(run_dir, filesystem).open()
    assert filesystem.done[:4] == [
        ("make_dir", "snapshots"),
        ("sync_dir", "run"),
        ("sync_dir", "data"),
        ("sync_dir", tmp_path.name),
    ]


def test_opening_again_does_nothing(store, filesystem):
    store.open()
    assert filesystem.done == []


def test_leftovers_of_a_kill_are_swept(store):
    commit(store, 0)
    for name in (".saving-epoch_000001-ab", ".saving-removed-epoch_000000-cd"):
        (store.dir / name / "tensors").mkdir(parents=True)
    store.open()
    assert names(store.dir) == ["epoch_000000"]


def test_other_things_are_left_alone(store):
    commit(store, 0)
    for name in ("orphan-1", "epoch_000001.corrupt-1", "notes", ".hidden"):
        (store.dir / name).mkdir()
    (store.dir / "file").touch()
    before = names(store.dir)
    store.open()
    assert names(store.dir) == before


def test_snapshot_that_was_being_replaced_is_put_back(store):
    path = commit(store, 1)
    path.rename(store.dir / ".replaced-epoch_000001")
    (store.dir / ".saving-epoch_000001-ab").mkdir()
    assert store.epochs() == [1], "readers see it before it is put back"
    assert problems_of(store.path(1)) == []
    store.open()
    assert names(store.dir) == ["epoch_000001"]


def test_snapshot_that_was_replaced_is_removed(store):
    path = commit(store, 1)
    shutil.copytree(path, store.dir / ".replaced-epoch_000001")
    store.open()
    assert names(store.dir) == ["epoch_000001"]


def test_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "snapshots").touch()
    with pytest.raises(SnapshotSaveError, match=r"snapshots: no snapshot can be written there"):
        SnapshotStore.of_run(tmp_path).open()


# ---- removing ---------------------------------------------------------------------------------


def test_removed_snapshots_are_gone(store):
    for epoch in range(4):
        commit(store, epoch)
    store.remove([0, 2])
    assert store.epochs() == [1, 3]
    assert names(store.dir) == ["epoch_000001", "epoch_000003"]


def test_names_are_gone_durably_before_anything_in_them_is(store, filesystem):
    commit(store, 0)
    commit(store, 1)
    filesystem.done.clear()
    store.remove([0, 1])
    assert [operation for operation, _ in filesystem.done] == [
        "rename", "rename", "sync_dir", "remove_tree", "remove_tree",
    ]  # fmt: skip


def test_removing_nothing_touches_nothing(store, filesystem):
    store.remove([])
    assert filesystem.done == []


def test_bad_snapshot_is_set_aside_under_a_free_name(store):
    for _ in range(2):
        commit(store, 5)
        store.set_aside(5)
    assert names(store.dir) == ["epoch_000005.corrupt-1", "epoch_000005.corrupt-2"]
    assert store.epochs() == []


def test_later_snapshots_are_moved_aside_the_newest_first(store, filesystem):
    for epoch in range(4):
        commit(store, epoch)
    filesystem.done.clear()
    orphans = store.orphan_after(1)
    assert names(orphans) == ["epoch_000002", "epoch_000003"]
    assert store.epochs() == [0, 1]
    moved = [name for operation, name in filesystem.done if operation == "rename"]
    assert moved == ["epoch_000003", "epoch_000002"]
    assert problems_of(orphans / "epoch_000003") == []


def test_each_future_left_behind_has_a_directory_of_its_own(store):
    for _ in range(2):
        commit(store, 0)
        commit(store, 1)
        store.orphan_after(0)
    assert names(store.dir) == ["epoch_000000", "orphan-1", "orphan-2"]


def test_nothing_later_means_nothing_moved(store):
    commit(store, 1)
    assert store.orphan_after(1) is None
    assert names(store.dir) == ["epoch_000001"]


# ---- verifying --------------------------------------------------------------------------------


def test_every_damaged_file_is_named(store):
    path = commit(store, 0)
    (path / "objects.pkl").write_bytes(b"0bjects")
    (path / "tensors/policy.safetensors").unlink()
    first, second = problems_of(path)
    assert "objects.pkl: its content does not match its digest" in first
    assert "policy.safetensors: cannot be read" in second


def test_damaged_manifest_is_named(store):
    path = commit(store, 0)
    (path / "manifest.json").write_text("{")
    assert len(problems_of(path)) == 1
    assert "manifest.json: not JSON" in problems_of(path)[0]


def test_newer_format_is_a_problem_too(store, monkeypatch):
    monkeypatch.setattr("garage_like.snapshot.manifest.FORMAT_VERSION", 2)
    path = commit(store, 0)
    monkeypatch.setattr("garage_like.snapshot.manifest.FORMAT_VERSION", 1)
    assert "snapshot format 2 is newer than 1" in problems_of(path)[0]
    with pytest.raises(SnapshotMismatchError):
        store.manifest(0)
