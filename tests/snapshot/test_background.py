import threading

import pytest

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
    writer = BackgroundWriter(disk.write, only_newest=True)
    disk.open.set()
    writer.submit(1)
    writer.close()
    assert disk.written == [1]
    assert writer.idle
    assert "snapshot-writer" not in [thread.name for thread in threading.enumerate()]
    writer.submit(2)
    writer.close()
    assert disk.written == [1, 2]
