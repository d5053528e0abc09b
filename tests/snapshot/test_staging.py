import numpy as np
import pytest

from garage_like.snapshot.staging import CHUNK, Staging, StagingPool


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def parts(rng, *sizes):
    return [rng.integers(0, 255, size).astype(np.uint8) for size in sizes]


def test_copies_hold_what_stood_there_when_they_were_taken(rng):
    staging, contents = Staging(), parts(rng, 5, CHUNK + 3, 1, 300_000, 64)
    expected = [content.copy() for content in contents]
    copies = [staging.copy(content) for content in contents]
    for content in contents:
        content[:] = 0
    for copied, was in zip(copies, expected, strict=True):
        assert np.array_equal(copied, was)


def test_memory_is_used_again(rng):
    staging, contents = Staging(), parts(rng, 700_000, 600_000, 2 * CHUNK)
    for content in contents:
        staging.copy(content)
    reserved = staging.nbytes
    for _ in range(10):
        staging.clear()
        for content in contents:
            staging.copy(content)
    assert staging.nbytes == reserved


def test_memory_that_is_not_needed_any_more_is_given_up(rng):
    staging = Staging()
    staging.copy(np.zeros(20 * CHUNK, np.uint8))
    for _ in range(3):
        staging.clear()
        staging.copy(np.zeros(10, np.uint8))
    assert staging.nbytes <= 2 * CHUNK


def test_sizes_that_vary_do_not_make_it_grow_without_bound(rng):
    staging, largest = Staging(), 0
    for _ in range(200):
        sizes = rng.integers(1, 3 * CHUNK, 6)
        largest = max(largest, int(sizes.sum()))
        for size in sizes:
            staging.copy(np.zeros(size, np.uint8))
        staging.clear()
        assert staging.nbytes <= 2 * largest + CHUNK


def test_pool_hands_out_what_was_given_back():
    pool = StagingPool()
    first, second = pool.take(), pool.take()
    assert first is not second
    pool.give_back(first)
    assert pool.take() is first
