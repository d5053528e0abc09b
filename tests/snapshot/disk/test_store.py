"""Snapshots on the disk: committed in one step, linked where nothing changed, cleared up after."""

import errno
import itertools
import os
import shutil
from pathlib import Path

import pytest

from garage_like.errors import SnapshotMismatchError, SnapshotSaveError
from garage_like.snapshot.disk.digests import file_digest_of
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import SnapshotStore, problems_of

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
                else Path(arguments[-1] if name in ("link", "rename") else arguments[0])
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
    assert store.manifest(7).files["objects.pkl"] == file_digest_of([b"objects"])


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


POLICY = "tensors/policy.safetensors"


def test_unchanged_file_is_a_hard_link_to_the_snapshot_before_the_last(store):
    first, second = commit(store, 0), commit(store, 1)
    third = commit(store, 2, **{"objects.pkl": b"changed"})
    assert inode(third, POLICY) == inode(first, POLICY)
    assert inode(third) != inode(first)
    assert problems_of(second) == problems_of(third) == []


def test_snapshots_in_a_row_share_no_file(store):
    paths = [commit(store, epoch) for epoch in (0, 1, 2, 2, 3, 5, 5)]
    for one, next_one in itertools.pairwise(paths):
        shared = {"objects.pkl": False, POLICY: False}
        if one != next_one:
            assert {name: inode(one, name) == inode(next_one, name) for name in shared} == shared
    assert {(path / POLICY).stat().st_ino for path in paths} == {
        (paths[0] / POLICY).stat().st_ino,
        (paths[1] / POLICY).stat().st_ino,
    }, "and yet it lies on the disk just twice"


def test_snapshots_that_another_program_linked_to_each_other_are_told_apart(store):
    first, second = commit(store, 0), commit(store, 1)
    (second / POLICY).unlink()
    (second / POLICY).hardlink_to(first / POLICY)
    assert inode(commit(store, 2), POLICY) != inode(first, POLICY)


def test_file_that_was_checked_already_is_not_read_again(store, tmp_path, monkeypatch):
    first = commit(store, 0)
    later = SnapshotStore.of_run(tmp_path)
    later.open(verified=store.manifest(0))
    monkeypatch.setattr("garage_like.snapshot.disk.sources.READ_BACK_BYTES", 0)
    commit(later, 1)
    monkeypatch.setattr("garage_like.snapshot.disk.sources.check_file", None)
    assert inode(commit(later, 2)) == inode(first)


def test_file_of_the_same_content_under_another_name_is_no_link(store):
    first = commit(store, 0)
    commit(store, 1)
    third = store.commit(Manifest(epoch=2), {"other.pkl": [b"objects"]})
    assert inode(third, "other.pkl") != inode(first)


def test_snapshot_is_whole_without_the_one_that_it_links_to(store, tmp_path):
    first, _, third = commit(store, 0), commit(store, 1), commit(store, 2)
    shutil.rmtree(first)
    assert problems_of(third) == []


def test_disk_without_hard_links_is_written_to_in_full(store, filesystem):
    first, _ = commit(store, 0), commit(store, 1)
    filesystem.fail = lambda operation, path: operation == "link"
    third = commit(store, 2)
    assert inode(third) != inode(first)
    assert problems_of(third) == []


def test_file_that_rotted_since_another_process_wrote_it_is_not_linked_to(store, tmp_path):
    first, _ = commit(store, 0), commit(store, 1)
    (first / "objects.pkl").write_bytes(b"0bjects")
    later = SnapshotStore.of_run(tmp_path)
    later.open()
    third = commit(later, 2)
    assert content(third) == b"objects"
    assert problems_of(third) == []
    assert inode(third, POLICY) == inode(first, POLICY)
    assert later.take_damaged() == [f"{first}/objects.pkl: its content does not match its digest"]
    assert later.take_damaged() == []


def test_file_that_rotted_since_this_process_wrote_it_is_found_in_time(store, monkeypatch):
    monkeypatch.setattr("garage_like.snapshot.disk.sources.READ_BACK_BYTES", 4)
    monkeypatch.setattr("garage_like.snapshot.disk.sources.READ_BACK_SECONDS", 0.0)
    files = {f"tables/rows_{n}": b"%d rows" % n for n in range(5)}
    first = commit(store, 0, **files)
    commit(store, 1, **files)
    (first / "tables/rows_3").write_bytes(b"3 Rows")
    found = []
    for epoch in range(2, 30):
        commit(store, epoch, **files)
        found += store.take_damaged()
    assert [("rows_3" in problem) for problem in found] == [True]
    assert problems_of(store.path(29)) == problems_of(store.path(28)) == []
    assert inode(store.path(28), "tables/rows_2") == inode(first, "tables/rows_2")


def test_each_file_that_is_linked_to_is_read_back_in_turn(store, monkeypatch):
    from garage_like.snapshot.disk import sources

    read, check_file = [], sources.check_file

    def checked(snapshot, name, entry):
        read.append((snapshot.name, name))
        check_file(snapshot, name, entry)

    monkeypatch.setattr(sources, "check_file", checked)
    monkeypatch.setattr(sources, "READ_BACK_BYTES", 1)
    monkeypatch.setattr(sources, "READ_BACK_SECONDS", 0.0)
    for epoch in range(9):
        commit(store, epoch)
    even = [name for snapshot, name in read if int(snapshot[-1]) % 2 == 0]
    odd = [name for snapshot, name in read if int(snapshot[-1]) % 2]
    assert even == ["objects.pkl", POLICY, "objects.pkl"]
    assert odd == ["objects.pkl", POLICY]


def test_file_that_changed_nowhere_in_memory_is_copied_and_checked_on_the_way(store):
    first = commit(store, 0, table=b"rows")
    table = {"table": store.manifest(0).files["table"]}
    second = store.commit(Manifest(epoch=1), {}, table)
    assert content(second, "table") == b"rows"
    assert inode(second, "table") != inode(first, "table")
    (first / "table").write_bytes(b"r0ws")
    (second / "table").write_bytes(b"r0ws")
    with pytest.raises(SnapshotSaveError, match=r"table: its content does not match its digest; e"):
        SnapshotStore(store.dir).commit(Manifest(epoch=2), {}, table)
    assert names(store.dir) == ["epoch_000000", "epoch_000001"]


def test_newest_manifest_that_is_damaged_is_no_obstacle(store, tmp_path):
    commit(store, 0)
    (commit(store, 1) / "manifest.json").write_text("{")
    later = SnapshotStore.of_run(tmp_path)
    later.open()
    assert problems_of(commit(later, 2)) == []


def test_file_that_vanished_is_written_anew(store):
    first, _ = commit(store, 0), commit(store, 1)
    (first / "objects.pkl").unlink()
    assert problems_of(commit(store, 2)) == []


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
        commit(SnapshotStore(store.dir, filesystem), 2, **{"objects.pkl": b"try"})

    commit(store, 0), commit(store, 1)
    count = operations_of(filesystem, save)
    failures = 0
    for number in range(count):
        store.remove({2} & set(store.epochs()))
        error = failing_at(filesystem, number, save)
        if error is None:
            assert filesystem.done[number][0] == "link", "only links have another way"
        else:
            failures += 1
            assert "epoch_000002: the snapshot could not be written: [Errno 5]" in error
            assert "earlier snapshots are intact" in error
        assert (
            names(store.dir) == ["epoch_000000", "epoch_000001", "epoch_000002"][: 3 - bool(error)]
        )
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
    monkeypatch.setattr("garage_like.snapshot.disk.manifest.FORMAT_VERSION", 3)
    path = commit(store, 0)
    monkeypatch.setattr("garage_like.snapshot.disk.manifest.FORMAT_VERSION", 2)
    assert "snapshot format 3 is newer than 2" in problems_of(path)[0]
    with pytest.raises(SnapshotMismatchError):
        store.manifest(0)


def test_what_was_read_back_to_the_end_is_left_in_peace_for_a_while(monkeypatch):
    from garage_like.snapshot.disk import sources

    monkeypatch.setattr(sources, "READ_BACK_BYTES", 10)
    now = 0.0
    read_back = sources.ReadBack(clock=lambda: now)

    def taken():
        read_back.begin()
        return [name for name in ("a", "b", "c") if read_back.takes(name, 7)]

    assert [taken(), taken(), taken()] == [["a", "b"], ["c"], []]
    now = sources.READ_BACK_SECONDS - 1.0
    assert taken() == []
    now = sources.READ_BACK_SECONDS
    assert taken() == ["a", "b"]


def looks_at_the_disk(monkeypatch, call):
    """Count how often a call lists a directory or asks for a file's state."""
    count = 0
    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "listdir", "scandir"):
            real = getattr(os, name)

            def counting(*args, _real=real, **kwargs):
                nonlocal count
                count += 1
                return _real(*args, **kwargs)

            patch.setattr(os, name, counting)
        call()
    return count


def test_commit_after_many_looks_at_the_disk_no_more_often(store, monkeypatch):
    looks = [
        looks_at_the_disk(monkeypatch, lambda: commit(store, epoch))  # noqa: B023
        for epoch in range(60)
    ]
    assert looks[5] > 0
    assert set(looks[5:]) == {looks[5]}


def test_snapshot_that_is_replaced_while_it_is_looked_for_is_found(store, monkeypatch):
    commit(store, 0)
    path = commit(store, 1)
    hidden = path.with_name(f".replaced-{path.name}")
    is_file = os.path.isfile

    def replacing(manifest):
        if Path(manifest).parent == path and path.exists():
            path.rename(hidden)  # between the listing and the look
        return is_file(manifest)

    monkeypatch.setattr(os.path, "isfile", replacing)
    assert store.epochs() == [0, 1]
    assert store.path(1) == hidden


def test_snapshot_that_someone_removed_is_no_source_of_links(store):
    for epoch in range(3):
        commit(store, epoch)
    shutil.rmtree(store.path(1))
    commit(store, 3)
    assert [problems_of(store.path(epoch)) for epoch in store.epochs()] == [[], [], []]
    assert store.epochs() == [0, 2, 3]
