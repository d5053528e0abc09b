"""Pruning keeps the last, the best, the pinned and two that verify, whatever the policy."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from garage_like.snapshot.config import SNAPSHOT_MODES, SnapshotConfig
from garage_like.snapshot.schedule import Kept, best_epochs, to_remove

policies = st.builds(
    SnapshotConfig,
    snapshot_dir=st.just("run"),
    snapshot_mode=st.sampled_from(SNAPSHOT_MODES[:-1]),
    max_to_keep=st.one_of(st.none(), st.integers(1, 4)),
    keep_best=st.integers(0, 3),
    best_mode=st.sampled_from(["max", "min"]),
    keep_period=st.one_of(st.none(), st.integers(1, 5)),
)
metrics = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
saves = st.tuples(st.just("save"), metrics, st.booleans())
others = st.tuples(st.sampled_from(["pin", "unpin", "rot"]), st.integers(0, 30), st.none())
histories = st.lists(st.one_of(saves, saves, others), min_size=3, max_size=40)


def check(policy, history):
    """Go through a history; after each save, prune and look at what is left."""
    kept, pinned, rotten, epoch = {}, set(), set(), 0
    for event, value, on_gap in history:
        if event == "pin":
            pinned |= {value} & set(kept)
        elif event == "unpin":
            pinned.discard(value)
        elif event == "rot":
            rotten |= {value} & set(kept)
        else:
            kept[epoch] = Kept(epoch, value, on_gap)
            epoch += 1
            good = set(kept) - rotten
            best = set(best_epochs(policy, list(kept.values())))
            doomed = to_remove(policy, list(kept.values()), pinned.__contains__, good.__contains__)
            left = set(kept) - set(doomed)
            assert max(kept) in left
            assert best <= left
            assert pinned <= left
            assert len(good & left) >= min(2, len(good))
            kept = {e: kept[e] for e in left}


@given(policies, histories)
@settings(max_examples=150, deadline=None)
def test_last_best_pinned_and_two_that_verify_survive(policy, history):
    check(policy, history)


@pytest.mark.slow
@given(policies, histories)
@settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_they_survive_a_thousand_policies_and_histories(figures, policy, history):
    check(policy, history)
    figures["retention policies and histories tried"] += 1
