import threading
import time

import pytest

from garage_like.errors import SnapshotWriteError
from garage_like.snapshot.background import BackgroundWriter


class Disk:
    """Write jobs down, when it is let."""

    def __init__(self):
        self.written = []
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)

    def write(self, job):
        self.begun.release()
        assert self.open.wait(10)
        if job == "bad":
            raise OSError("no space")
        self.written.append(job)


@pytest.fixture
def disk():
    return Disk()


def test_waiting_job_gives_way_to_a_newer_one(disk):
    dropped = []
    writer = BackgroundWriter(disk.write, only_newest=True, dropped=dropped.append)
    writer.submit(1)
    assert disk.begun.acquire(timeout=10)
    for job in range(2, 52):
        writer.submit(job)
    disk.open.set()
    writer.drain()
    assert disk.written == [1, 51]
    assert dropped == list(range(2, 51))
    assert writer.num_replaced == 49
    writer.close()


def test_where_each_is_kept_none_gives_way(disk):
    writer = BackgroundWriter(disk.write, only_newest=False)
    disk.open.set()
    for job in range(20):
        writer.submit(job)
    writer.close()
    assert disk.written == list(range(20))
    assert writer.num_replaced == 0


def test_where_each_is_kept_submit_waits_for_the_one_before(disk):
    writer = BackgroundWriter(disk.write, only_newest=False)
    writer.submit(1)
    assert disk.begun.acquire(timeout=10)
    writer.submit(2)
    handed_over = threading.Event()

    def third():
        writer.submit(3)
        handed_over.set()

    thread = threading.Thread(target=third)
    thread.start()
    assert not handed_over.wait(0.2)
    disk.open.set()
    assert handed_over.wait(10)
    thread.join()
    writer.close()
    assert disk.written == [1, 2, 3]


def test_failure_is_kept_for_the_next_safe_point_and_the_next_job_is_written(disk):
    writer = BackgroundWriter(disk.write, only_newest=False)
    disk.open.set()
    writer.submit("bad")
    writer.submit("good")
    writer.drain()
    assert [str(error) for error in writer.take_errors()] == ["no space"]
    assert writer.take_errors() == []
    assert disk.written == ["good"]
    writer.close()


def test_closing_writes_what_was_handed_over_and_stops_the_thread(disk):
    before = set(threading.enumerate())
    writer = BackgroundWriter(disk.write, only_newest=True)
    disk.open.set()
    writer.submit(1)
    writer.close()
    assert disk.written == [1]
    assert writer.idle
    started = set(threading.enumerate()) - before
    assert "snapshot-writer" not in [thread.name for thread in started]
    writer.submit(2)
    writer.close()
    assert disk.written == [1, 2]


@pytest.mark.parametrize("only_newest", [True, False])
def test_where_no_thread_can_be_had_whoever_submits_writes(disk, monkeypatch, only_newest):
    def start(self):
        raise RuntimeError("can't start new thread")

    writer = BackgroundWriter(disk.write, only_newest=only_newest)
    disk.open.set()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        for job in (1, "bad", 2):
            writer.submit(job)
        assert disk.written == [1, 2]
        writer.drain()
        writer.close()
    assert [str(error) for error in writer.take_errors()] == ["no space"]
    writer.submit(3)
    writer.close()
    assert disk.written == [1, 2, 3]


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(3), KeyboardInterrupt()])
def test_whatever_ends_a_job_is_told_and_the_next_is_written(error):
    written = []

    def write(job):
        if job == "bad":
            raise error
        written.append(job)

    writer = BackgroundWriter(write, only_newest=False)
    for job in ("bad", "good"):
        writer.submit(job)
    writer.close()
    (told,) = writer.take_errors()
    assert error in (told, told.__cause__)
    assert isinstance(told, MemoryError | SnapshotWriteError)
    assert written == ["good"]


def test_nobody_waits_for_a_thread_that_has_ended(disk):
    writer = BackgroundWriter(disk.write, only_newest=False)
    disk.open.set()
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    writer._thread, writer._waiting = ended, "left"
    writer.drain()
    assert disk.written == ["left"]


def test_giving_up_waits_for_nothing(disk):
    dropped = []
    writer = BackgroundWriter(disk.write, only_newest=True, dropped=dropped.append)
    writer.submit(1)
    assert disk.begun.acquire(timeout=10)
    writer.submit(2)
    began = time.monotonic()
    writer.give_up()
    assert time.monotonic() - began < 1
    assert dropped == [2]
    disk.open.set()
    writer.close()
    assert disk.written == [1]
