"""When a snapshot is taken, and which are kept."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garage_like.snapshot.config import SNAPSHOT_MODES, SnapshotConfig
from garage_like.snapshot.schedule import (
    Kept,
    Progress,
    best_epochs,
    enters_best,
    is_due,
    on_gap,
    to_remove,
)


def config(**options):
    return SnapshotConfig(snapshot_dir="run", **options)


def simulate(config, n_epochs, metrics=None, env_steps=lambda epoch: 0, episodes=lambda epoch: 0):
    """Run through epochs; return which were saved, and which were there at the end."""
    kept, saved = [], []
    before = Progress(-1, n_epochs)
    for epoch in range(n_epochs):
        now = Progress(epoch, n_epochs, env_steps(epoch), episodes(epoch))
        metric = None if metrics is None else metrics[epoch]
        if is_due(config, before, now, metric, kept):
            saved.append(epoch)
            kept.append(Kept(epoch, metric, on_gap(config, before, now)))
            doomed = to_remove(config, kept)
            kept = [k for k in kept if k.epoch not in doomed]
        before = now
    return saved, [k.epoch for k in kept]


EVERY = list(range(10))


@pytest.mark.parametrize(
    ("mode", "saved", "kept"),
    [
        ("all", EVERY, EVERY),
        ("last", EVERY, [8, 9]),
        ("gap", [0, 4, 8, 9], [0, 4, 8, 9]),
        ("gap_overwrite", [0, 4, 8, 9], [8, 9]),
        ("gap_and_last", EVERY, [0, 4, 8, 9]),
        ("none", [], []),
    ],
)
def test_modes(mode, saved, kept):
    assert simulate(config(snapshot_mode=mode, snapshot_gap=4), 10) == (saved, kept)


@pytest.mark.parametrize("mode", [m for m in SNAPSHOT_MODES if m != "none"])
@pytest.mark.parametrize("n_epochs", [1, 2, 7])
def test_final_epoch_is_always_saved_and_kept(mode, n_epochs):
    for gap in (1, 3, 100, "auto"):
        saved, kept = simulate(config(snapshot_mode=mode, snapshot_gap=gap), n_epochs)
        assert saved[-1] == kept[-1] == n_epochs - 1


@pytest.mark.parametrize("gap", [0, -1])
def test_gap_of_zero_or_less_saves_nothing(gap):
    assert simulate(config(snapshot_gap=gap), 5) == ([], [])


@pytest.mark.parametrize("n_epochs", [1, 5, 10, 11, 19, 25, 95, 100, 1234])
@pytest.mark.parametrize("mode", ["all", "last", "gap", "gap_overwrite", "gap_and_last"])
def test_auto_saves_ten_over_the_run_the_final_one_among_them(mode, n_epochs):
    saved, _ = simulate(config(snapshot_mode=mode, snapshot_gap="auto"), n_epochs)
    assert len(saved) == min(n_epochs, 10)
    assert saved[-1] == n_epochs - 1
    distances = {later - earlier for earlier, later in itertools.pairwise(saved)}
    assert max(distances, default=1) - min(distances, default=1) <= 1


def test_gap_in_env_steps_counts_multiples_that_were_crossed():
    options = config(snapshot_mode="gap", snapshot_gap=100, gap_unit="env_step")
    steps = [30, 90, 130, 190, 420, 430, 500, 501]
    assert simulate(options, 8, env_steps=steps.__getitem__)[0] == [2, 4, 6, 7]


def test_gap_in_episodes_counts_multiples_that_were_crossed():
    options = config(snapshot_mode="gap", snapshot_gap=5, gap_unit="episode")
    episodes = [1, 5, 9, 11, 12, 12]
    assert simulate(options, 6, episodes=episodes.__getitem__)[0] == [1, 3, 5]


def test_best_and_last_are_kept():
    options = config(snapshot_mode="all", max_to_keep=1, keep_best=1)
    assert simulate(options, 3, metrics=[5, 9, 1])[1] == [1, 2]


def test_best_is_kept_though_it_is_long_ago():
    assert simulate(config(keep_best=2), 8, metrics=[1, 9, 2, 8, 3, 4, 3, 2])[1] == [1, 3, 6, 7]


def test_smallest_is_best_if_asked_for():
    options = config(keep_best=1, best_mode="min")
    assert simulate(options, 6, metrics=[5, 1, 4, 3, 4, 5])[1] == [1, 4, 5]


def test_best_is_saved_though_none_is_due():
    options = config(snapshot_mode="gap", snapshot_gap=5, keep_best=1)
    saved, kept = simulate(options, 10, metrics=[0, 1, 0, 2, 0, 0, 0, 3, 1, 1])
    assert saved == [0, 1, 3, 5, 7, 9]
    assert kept == [0, 5, 7, 9], "what was best once need not stay"


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_epoch_without_a_number_is_never_best(missing):
    options = config(snapshot_mode="gap_overwrite", snapshot_gap=100, keep_best=1)
    saved, kept = simulate(options, 6, metrics=[missing, 1.0, missing, 0.5, missing, missing])
    assert saved == [0, 1, 5]
    assert kept == [1, 5]


def test_infinite_returns_are_ranked():
    kept = [Kept(0, math.inf), Kept(1, -math.inf), Kept(2, 0.0)]
    assert best_epochs(config(keep_best=3), kept) == [0, 2, 1]


def test_of_equals_the_earlier_is_best():
    kept = [Kept(3, 1.0), Kept(1, 1.0), Kept(2, 1.0)]
    assert best_epochs(config(keep_best=2), kept) == [1, 2]


def test_equal_of_the_best_does_not_enter():
    assert not enters_best(config(keep_best=1), 1.0, [Kept(0, 1.0)])
    assert enters_best(config(keep_best=1), 1.1, [Kept(0, 1.0)])
    assert enters_best(config(keep_best=2), 0.1, [Kept(0, 1.0)])
    assert not enters_best(config(), 9.0, [])


def test_periods_are_kept_for_ever():
    assert simulate(config(keep_period=4), 11)[1] == [0, 4, 8, 9, 10]


def test_at_most_so_many_of_the_newest_are_kept_whatever_the_mode():
    for mode in ("all", "last", "gap_and_last"):
        assert simulate(config(snapshot_mode=mode, max_to_keep=3), 9)[1] == [6, 7, 8]


def test_two_are_kept_at_least():
    assert simulate(config(snapshot_mode="all", max_to_keep=1), 9)[1] == [7, 8]


def test_pinned_are_kept():
    kept = [Kept(epoch) for epoch in range(9)]
    assert to_remove(config(), kept, is_pinned=[2, 5].__contains__) == [0, 1, 3, 4, 6]


def test_two_that_verify_are_kept_beside_the_last():
    kept = [Kept(epoch) for epoch in range(7)]
    bad = {6, 4, 3}
    assert to_remove(config(), kept, is_good=lambda epoch: epoch not in bad) == [0, 1, 3, 4]


def test_damaged_snapshot_stays_between_two_that_may_share_files():
    kept = [Kept(epoch) for epoch in range(7)]
    assert to_remove(config(), kept, is_good=lambda epoch: epoch != 5) == [0, 1, 2, 3]


def test_nothing_is_removed_while_fewer_than_two_verify():
    kept = [Kept(epoch) for epoch in range(7)]
    assert to_remove(config(), kept, is_good=lambda epoch: epoch == 3) == []


def test_only_the_newest_are_asked_whether_they_verify():
    asked = []

    def is_good(epoch):
        asked.append(epoch)
        return True

    to_remove(config(), [Kept(epoch) for epoch in range(7)], is_good=is_good)
    assert asked == [6, 5]


def test_final_epoch_of_a_run_that_was_extended_later_is_kept():
    options = config(snapshot_mode="gap", snapshot_gap=4)
    first = Kept(5, None, on_gap(options, Progress(4, 6), Progress(5, 6)))
    assert to_remove(options, [Kept(4), first, Kept(8), Kept(11)]) == []


metrics = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(
    data=st.data(),
    mode=st.sampled_from(SNAPSHOT_MODES[:-1]),
    gap=st.one_of(st.integers(1, 7), st.just("auto")),
    unit=st.sampled_from(["epoch", "env_step", "episode"]),
    max_to_keep=st.one_of(st.none(), st.integers(1, 4)),
    keep_best=st.integers(0, 3),
    best_mode=st.sampled_from(["max", "min"]),
    keep_period=st.one_of(st.none(), st.integers(1, 5)),
    n_epochs=st.integers(1, 25),
)
@settings(max_examples=300, deadline=None)
def test_last_best_and_two_newest_always_survive(
    data, mode, gap, unit, max_to_keep, keep_best, best_mode, keep_period, n_epochs
):
    options = config(
        snapshot_mode=mode,
        snapshot_gap=gap,
        gap_unit=unit,
        max_to_keep=max_to_keep,
        keep_best=keep_best,
        best_mode=best_mode,
        keep_period=keep_period,
    )
    values = data.draw(st.lists(metrics, min_size=n_epochs, max_size=n_epochs))
    steps = data.draw(st.lists(st.integers(0, 5), min_size=n_epochs, max_size=n_epochs))
    counts = [sum(steps[: i + 1]) for i in range(n_epochs)]
    saved, kept = simulate(options, n_epochs, values, counts.__getitem__, counts.__getitem__)
    assert saved[-1] == n_epochs - 1
    assert kept[-2:] == saved[-2:]
    if keep_best:
        judged = [e for e in range(n_epochs) if values[e] is not None and values[e] == values[e]]
        sign = 1 if best_mode == "max" else -1
        best = sorted(judged, key=lambda e: (-sign * values[e], e))[:keep_best]
        assert {values[e] for e in best} <= {values[e] for e in kept}
        assert set(best) <= set(kept)
    if keep_period:
        assert {e for e in saved if e % keep_period == 0} <= set(kept)
    if mode == "all" and max_to_keep is None:
        assert kept == saved
