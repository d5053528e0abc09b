"""Snapshots that come too soon give way, so that taking them goes unnoticed."""

import sys
import time

import pytest

from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.pace import Pace, ThreadUse, lost_between, thread_use
from garage_like.snapshot.schedule import Progress

N_EPOCHS = 10


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    """A hundredth of the time is for snapshots; one has been taken, and a second took 1 s."""
    pace = Pace(0.01, clock)
    stop(pace, clock, 50.0)
    stop(pace, clock, 1.0)
    return pace


def stop(pace, clock, seconds):
    with pace.stopped():
        clock.now += seconds


def test_first_snapshot_does_not_count(clock):
    pace = Pace(0.01, clock)
    assert not pace.is_too_soon
    stop(pace, clock, 50.0)
    assert not pace.is_too_soon


def test_next_one_is_too_soon_until_its_share_of_the_time_has_passed(pace, clock):
    assert pace.is_too_soon
    clock.now += 99.0
    assert pace.is_too_soon
    clock.now += 1.0
    assert not pace.is_too_soon


def test_short_epochs_keep_the_share_of_what_a_busy_machine_lets_them_use(clock):
    """In 1000 s only 100 s were on a processor, of which a snapshot in all takes 1.5 s."""
    processor = Clock()

    def use():
        return ThreadUse(processor.now, 0)

    pace = Pace(0.01, clock, use, processor=processor)
    for _ in range(2):
        with pace.stopped():
            clock.now, processor.now = clock.now + 1.0, processor.now + 1.0
        with pace.writing():
            processor.now += 0.5
    clock.now, processor.now = clock.now + 1000.0, processor.now + 70.0
    assert not pace.is_too_soon
    pace.by_processor = True
    assert pace.is_too_soon
    processor.now += 5.0
    assert not pace.is_too_soon


def test_one_long_stop_does_not_count(pace, clock):
    stop(pace, clock, 30.0)
    clock.now += 100.0
    assert not pace.is_too_soon


def test_stops_that_grow_longer_do_count(pace, clock):
    for _ in range(3):
        stop(pace, clock, 2.0)
    clock.now += 150.0
    assert pace.is_too_soon
    clock.now += 50.0
    assert not pace.is_too_soon


def test_what_training_loses_to_the_writer_counts_half(clock):
    pace = Pace(0.01, clock, lambda: ThreadUse(clock.now / 1.5, float("inf")))
    for _ in range(2):
        stop(pace, clock, 1.0)
    for seconds in (70.0, 5.0):
        with pace.writing():
            clock.now += seconds
    stop(pace, clock, 1.0)
    clock.now += 299.0
    assert pace.is_too_soon
    clock.now += 2.0
    assert not pace.is_too_soon


def test_loss_is_bounded_by_processor_time_and_by_waits():
    nothing = ThreadUse(5.0, 100)
    assert lost_between(nothing, ThreadUse(6.0, 100_000)) == pytest.approx(1.5)
    assert lost_between(nothing, ThreadUse(6.0, 1_100)) == pytest.approx(0.1)
    unknown = float("inf")
    assert lost_between(ThreadUse(5.0, unknown), ThreadUse(6.0, unknown)) == pytest.approx(1.5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts a thread's waits")
def test_waits_of_the_calling_thread_are_counted():
    before = thread_use()
    for _ in range(20):
        time.sleep(1e-4)
    assert thread_use().waits - before.waits >= 20


def snapshotter(tmp_path, clock, **options):
    """One whose snapshots take ten seconds each: any other is too soon."""
    found = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path, **options))
    found.pace._clock = clock
    for _ in range(2):
        stop(found.pace, clock, 10.0)
    return found


def due(found, epoch, **metrics):
    before, now = Progress(epoch - 1, N_EPOCHS), Progress(epoch, N_EPOCHS)
    return found.is_due(before, now, metrics)


def test_epoch_that_ends_too_soon_gives_way_and_is_counted(tmp_path, clock):
    found = snapshotter(tmp_path, clock)
    assert not due(found, 3)
    assert not due(found, 4)
    assert found.num_replaced == 2
    clock.now += 10_000.0
    assert due(found, 5)
    found.save({"algo": {}}, Manifest(epoch=5))
    found.close()
    assert found.store.manifest(5).num_replaced == 2


def test_final_epoch_never_gives_way(tmp_path, clock):
    assert due(snapshotter(tmp_path, clock), N_EPOCHS - 1)


@pytest.mark.parametrize(
    "options",
    [
        {"max_stall": 1.0},
        {"async_save": False},
        {"snapshot_mode": "all"},
        {"snapshot_mode": "gap_and_last", "snapshot_gap": 3},
        {"max_to_keep": 2},
        {"keep_best": 1},
        {"keep_period": 2},
    ],
    ids=str,
)
def test_epoch_gives_way_only_where_nothing_but_the_newest_is_kept(options, tmp_path, clock):
    found = snapshotter(tmp_path, clock, **options)
    clock.now += 10.0
    assert due(found, 3)
    assert found.num_replaced == 0


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, "a tenth"])
def test_share_that_is_none_is_refused(share, tmp_path):
    with pytest.raises(ValueError, match=r"max_stall must lie in \(0, 1\]"):
        SnapshotConfig(snapshot_dir=tmp_path, max_stall=share)
