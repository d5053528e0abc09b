"""Mirrors: a snapshot is there whole or not at all, whatever fails between two requests."""

import contextlib
import errno
import json
import os
import re
import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("obstore", reason="needs the extra remote")

from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk.layout import epoch_name, epochs_in
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import problems_of
from garage_like.snapshot.mirror import follower, lease, sending
from garage_like.snapshot.mirror.fetching import fetch, fetch_what_is_lost, mirrored
from garage_like.snapshot.mirror.follower import push_newest
from garage_like.snapshot.mirror.heads import FencedError, newest_head
from garage_like.snapshot.mirror.lease import Lease
from garage_like.snapshot.mirror.place import Place, check_url
from garage_like.snapshot.mirror.sending import BLOCK, Sender


@pytest.fixture
def url(tmp_path):
    return f"file://{tmp_path}/far away"


@pytest.fixture
def run(tmp_path):
    """Return a run directory, and what saves one more snapshot with its log in it."""
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "variant.json").write_text('{"seed": 1}')

    def save(epoch, number=None):
        with (run_dir / "debug.log").open("a") as log:
            log.write(f"epoch {epoch}\n" * 9000)
        algo = SimpleNamespace(policy=SimpleNamespace(weights=np.full(4, float(number or epoch))))
        snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=run_dir, async_save=False))
        logs = {"debug.log": (run_dir / "debug.log").stat().st_size}
        snapshotter.save({"algo": algo, "same": np.ones(1000)}, Manifest(epoch=epoch, logs=logs))
        snapshotter.close()

    return SimpleNamespace(dir=run_dir, save=save)


def sender_of(run, url, place=None):
    sender = Sender(place or Place(url), run.dir)
    sender.take_over()
    return sender


def test_what_was_sent_comes_back_as_it_was(run, url, tmp_path):
    sender = sender_of(run, url)
    for epoch in range(3):
        run.save(epoch)
        assert push_newest(sender, run.dir) == epoch_name(epoch)
    run.save(3)
    found = fetch(Place(url), tmp_path / "back")
    assert (found.name, problems_of(found)) == ("epoch_000002", [])
    ours = read_snapshot(run.dir, 2)
    assert read_snapshot(found).tensors("policy")["weights"].tolist() == [2.0] * 4
    assert (found / "manifest.json").read_bytes() == (ours.path / "manifest.json").read_bytes()
    log = (tmp_path / "back/debug.log").read_bytes()
    assert len(log) == ours.manifest.logs["debug.log"] > BLOCK
    assert (run.dir / "debug.log").read_bytes().startswith(log)
    assert (tmp_path / "back/variant.json").read_text() == '{"seed": 1}'
    with pytest.raises(FileExistsError, match="holds snapshots already"):
        fetch(Place(url), tmp_path / "back")


def test_only_what_is_new_is_sent_and_what_nothing_names_is_deleted(run, url):
    place = Place(url)
    sender = sender_of(run, url, place)
    run.save(0)
    push_newest(sender, run.dir)
    first = place.num_sent
    for epoch in range(1, 5):
        run.save(epoch)
        push_newest(sender, run.dir)
    assert (place.num_sent - first) / 4 < first + 2 * BLOCK
    kept = [epoch_name(epoch) for epoch in epochs_in(run.dir / "snapshots")]
    assert list(mirrored(place)) == kept
    named = {
        key
        for index in mirrored(place).values()
        for key in [index, *json.loads(place.get(index))["keys"].values()]
    }
    assert {*place.keys("data"), *place.keys("index")} == named
    assert len(place.keys("head")) == 2


def test_writer_that_was_taken_over_is_fenced_and_harms_nothing(run, url, tmp_path):
    old = sender_of(run, url)
    run.save(0)
    push_newest(old, run.dir)
    new = sender_of(run, url)
    run.save(1)
    with pytest.raises(FencedError, match="writes there now"):
        push_newest(old, run.dir)
    run.save(2)
    push_newest(new, run.dir)
    assert problems_of(fetch(Place(url), tmp_path / "back")) == []
    with pytest.raises(FencedError):
        push_newest(old, run.dir)
    assert list(mirrored(Place(url)))[-1] == "epoch_000002"


def test_place_of_another_run_is_refused(run, url, tmp_path):
    run.save(0)
    push_newest(sender_of(run, url), run.dir)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ValueError, match="holds the snapshots of another run"):
        Sender(Place(url), other).take_over()


class Cut(Place):
    """Fail at each request but so many; what was asked may have been done, or not."""

    def __init__(self, url, requests, is_done):
        super().__init__(url)
        self.left, self.is_done = requests, is_done

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in ("get", "put", "create", "keys", "delete"):
            return found

        def call(*arguments):
            self.left -= 1
            if self.left < 0:
                if self.is_done:
                    with contextlib.suppress(Exception):
                        found(*arguments)
                raise OSError("the line is cut")
            return found(*arguments)

        return call


@pytest.mark.parametrize("is_done", [False, True])
def test_cut_between_any_two_requests_leaves_whole_snapshots(run, any_url, tmp_path, is_done):
    url = any_url
    run.save(0)
    push_newest(sender_of(run, url), run.dir)
    step = 6 if any_url.startswith("s3") else 2
    for epoch, requests in enumerate(range(0, 40, step), start=1):
        run.save(epoch)
        with contextlib.suppress(OSError, FencedError):
            push_newest(sender_of(run, url, Cut(url, requests, is_done)), run.dir)
        found = fetch(Place(url), tmp_path / f"back {requests}")
        assert problems_of(found) == []
        weights = read_snapshot(found).tensors("policy")["weights"]
        assert epoch_name(int(weights[0])) == found.name
    push_newest(sender_of(run, url), run.dir)
    assert list(mirrored(Place(url)))[-1] == epoch_name(epoch)
    assert epochs_in(run.dir / "snapshots") == [epoch - 1, epoch]
    assert not list((run.dir / "snapshots").glob(".saving-*"))


def test_content_that_rots_there_is_told(run, url, tmp_path):
    run.save(0)
    place = Place(url)
    push_newest(sender_of(run, url), run.dir)
    for key in place.keys("data"):
        place.put(key, bytes(len(place.get(key))))
    with pytest.raises(SnapshotCorruptError, match="is not what was sent"):
        fetch(place, tmp_path / "back")
    assert epochs_in(tmp_path / "back/snapshots") == []


def test_head_that_is_half_written_is_passed_over(run, url):
    run.save(0)
    push_newest(sender_of(run, url), run.dir)
    place = Place(url)
    head, number = newest_head(place)
    place.put(f"head/{number + 1:012d}.json", b'{"run": "x", "tok')
    assert newest_head(place) == (head, number)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("runs/x", r"must be a URL \(s3://…"),
        ("ftp://host/x", "must be a URL"),
        ("s3://", "must be a URL"),
        (7, "must be a URL"),
        ("s3://me:secret@bucket/x", "must not hold a user's name or a password"),
    ],
)
def test_url_that_is_none_is_told(given, message):
    with pytest.raises(ValueError, match=message):
        check_url(given)
    with pytest.raises(ValueError, match=message):
        SnapshotConfig(snapshot_dir="x", mirror=given)


def test_place_that_cannot_be_reached_ends_no_training(run, tmp_path, monkeypatch):
    monkeypatch.setattr(follower, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(follower, "LAST_CHANCE", 0.4)
    (tmp_path / "file").write_text("no folder")
    config = SnapshotConfig(
        snapshot_dir=run.dir, mirror=f"file://{tmp_path}/file/x", async_save=False
    )
    snapshotter = Snapshotter(config)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        snapshotter.save({"algo": SimpleNamespace(n=1)}, Manifest(epoch=0))
        report = snapshotter.close()
    assert (report.committed, report.errors) == ([0], [])
    first, last = (str(warning.message) for warning in told)
    assert "cannot be reached, training goes on and it is tried again" in first
    assert "does not hold the newest snapshot yet; when it can be reached" in last
    assert epochs_in(run.dir / "snapshots") == [0]


def test_a_snapshot_that_is_pruned_while_it_is_linked_is_passed_over(run, url, monkeypatch):
    link, gone = os.link, []

    def pruned(source, target):
        if not gone:
            gone.append(source)
            raise FileNotFoundError(errno.ENOENT, "pruned", str(source))
        link(source, target)

    monkeypatch.setattr(sending.os, "link", pruned)
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=run.dir, mirror=url, async_save=False))
    snapshotter.save({"algo": SimpleNamespace(n=0)}, Manifest(epoch=0))
    snapshotter.close()  # warnings are errors: nothing is said
    assert (len(gone), list(mirrored(Place(url)))) == (1, ["epoch_000000"])


def test_a_full_disk_here_costs_nothing_but_lag(run, url, monkeypatch):
    monkeypatch.setattr(follower, "FIRST_PAUSE", 0.01)
    link, refused = os.link, []

    def full(*arguments):
        refused.append(arguments)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sending.os, "link", full)
    monkeypatch.setattr(sending.shutil, "copyfile", full)
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=run.dir, mirror=url, async_save=False))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for epoch in range(2):
            snapshotter.save({"algo": SimpleNamespace(n=epoch)}, Manifest(epoch=epoch))
        while len(refused) < 4:
            pass
        assert mirrored(Place(url)) == {}
        monkeypatch.setattr(sending.os, "link", link)  # there is room again
        report = snapshotter.close()
    (said,) = (str(warning.message) for warning in told)
    assert "training goes on and it is tried again: [Errno 28] No space left" in said
    assert (report.committed, report.errors) == ([0, 1], [])
    assert list(mirrored(Place(url))) == ["epoch_000001"]
    assert epochs_in(run.dir / "snapshots") == [0, 1]
    assert not list((run.dir / "snapshots").glob(".saving-*"))


def test_run_whose_mirror_cannot_be_asked_does_not_begin_anew(tmp_path):
    (tmp_path / "file").write_text("no folder")
    config = SnapshotConfig(
        snapshot_dir=tmp_path / "run", mirror=f"file://{tmp_path}/file/x", auto_resume=True
    )
    with pytest.raises(SnapshotNotFoundError, match="cannot be reached, so whether it holds a run"):
        fetch_what_is_lost(config)


def test_newest_goes_while_training_goes_on(run, url):
    config = SnapshotConfig(snapshot_dir=run.dir, mirror=url, max_stall=1.0)
    snapshotter = Snapshotter(config)
    for epoch in range(5):
        snapshotter.save({"algo": SimpleNamespace(n=epoch)}, Manifest(epoch=epoch))
    snapshotter.close()
    assert list(mirrored(Place(url)))[-1] == "epoch_000004"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mirror")]


def test_of_those_who_claim_a_place_at_once_one_can_write(run, any_url):
    run.save(0)
    push_newest(sender_of(run, any_url), run.dir)
    gate, won, refused = threading.Barrier(6), [], []

    def take():
        sender = Sender(Place(any_url), run.dir)
        gate.wait()
        try:
            sender.take_over()
        except FencedError as error:
            refused.append(error)
        else:
            won.append(sender)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) + len(refused) == 6
    assert len({sender.token for sender in won}) == len(won) >= 1
    run.save(1)
    newest = max(won, key=lambda sender: sender.token)
    for sender in won:
        if sender is not newest:
            with pytest.raises(FencedError):
                push_newest(sender, run.dir)
    assert push_newest(newest, run.dir) == "epoch_000001"


@pytest.fixture
def elsewhere(monkeypatch):
    """Let this process be another machine, when called; a writer is soon taken for dead."""
    monkeypatch.setattr(lease, "BEAT", 0.02)
    monkeypatch.setattr(lease, "LAPSE", 1.0)

    def call(name="another"):
        """Go to a machine of that name, to a process of the same number."""
        monkeypatch.setattr(lease.os, "uname", lambda: SimpleNamespace(nodename=name))
        monkeypatch.setattr(lease, "_DRAWN", "drawn elsewhere")

    return call


def test_a_twin_container_disturbs_nobody_either(run, url, elsewhere):
    run.save(0)
    first = sender_of(run, url)
    life = Lease(first._place, first.token)
    push_newest(first, run.dir)
    assert sender_of(run, url).token == 2  # this process itself goes on at once
    first = sender_of(run, url)
    life.give_back()
    life = Lease(first._place, first.token)
    while lease._word(first._place, first.token) is None:
        pass
    elsewhere(os.uname().nodename)
    with pytest.raises(FencedError, match=r"process \d+ on .* lives, and writes there; stop it"):
        sender_of(run, url)
    life.give_back()
    assert sender_of(run, url).token == 4


def test_a_child_by_fork_is_not_taken_for_its_parent(monkeypatch):
    here = lease._this_process()
    assert here == lease._this_process()
    child = os.getpid() + 1
    monkeypatch.setattr(lease.os, "getpid", lambda: child)
    assert here != lease._this_process()


def test_who_lives_is_not_disturbed_and_who_is_silent_is_fenced_off(run, url, elsewhere, capsys):
    run.save(0)
    first = sender_of(run, url)
    life = Lease(first._place, first.token)
    push_newest(first, run.dir)
    while lease._word(first._place, first.token) is None:
        pass
    elsewhere()
    with pytest.raises(FencedError, match=r"process \d+ on .* lives, and writes there; stop it"):
        sender_of(run, url)
    assert re.search(r"process \d+ on .*; waiting 1 seconds for a sign", capsys.readouterr().err)
    life._is_over.set()  # it says nothing any more, and has not given back what it had
    life._thread.join()
    second = sender_of(run, url)
    run.save(1)
    with pytest.raises(FencedError, match="on another writes there now"):
        push_newest(first, run.dir)
    assert push_newest(second, run.dir) == "epoch_000001"
    assert second._place.keys("lease") == []


@pytest.mark.parametrize("years", [-20, 20])
def test_a_clock_that_is_wrong_lets_nobody_in(run, url, elsewhere, monkeypatch, years):
    run.save(0)
    first = sender_of(run, url)
    life = Lease(first._place, first.token)
    push_newest(first, run.dir)
    while lease._word(first._place, first.token) is None:
        pass
    elsewhere()
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + years * 365 * 86400.0)
    with pytest.raises(FencedError, match="lives, and writes there; stop it"):
        sender_of(run, url)
    life.give_back()
    assert sender_of(run, url).token == 2


def test_what_is_given_back_is_free_at_once(run, url, elsewhere, monkeypatch, capsys):
    monkeypatch.setattr(lease, "LAPSE", 1000.0)
    run.save(0)
    first = sender_of(run, url)
    push_newest(first, run.dir)
    Lease(first._place, first.token).give_back()
    elsewhere()
    assert sender_of(run, url).token == 2
    assert capsys.readouterr().err == ""


def test_a_run_that_comes_back_fences_off_before_it_reads(run, url, tmp_path, elsewhere):
    run.save(0)
    first = sender_of(run, url)
    push_newest(first, run.dir)
    elsewhere()
    config = SnapshotConfig(snapshot_dir=tmp_path / "back", mirror=url, auto_resume=True)
    assert fetch_what_is_lost(config).name == "epoch_000000"
    run.save(1)
    with pytest.raises(FencedError):
        push_newest(first, run.dir)
    assert list(mirrored(Place(url))) == ["epoch_000000"]
