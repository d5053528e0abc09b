"""PrioritizedReplayBuffer and the sum tree under it."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from episodes import SPEC, batch

from garage_like.replay_buffer import PrioritizedReplayBuffer
from garage_like.replay_buffer.sum_tree import SumTree


def filled(count: int = 4, **options) -> PrioritizedReplayBuffer:
    buffer = PrioritizedReplayBuffer(8, SPEC, **options)
    buffer.add_episode_batch(batch([count]))
    return buffer


def set_errors(buffer, errors) -> None:
    buffer.update_priorities({"row": np.arange(len(errors))}, np.array(errors))


def test_tree_finds_the_row_in_which_a_mass_falls():
    tree = SumTree(5)
    tree.set(np.array([0, 1, 3, 4]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert tree.total == 10.0
    masses = np.array([0.0, 0.99, 1.0, 2.99, 3.0, 5.99, 6.0, 9.99])
    assert tree.find(masses).tolist() == [0, 0, 1, 1, 3, 3, 4, 4]


def test_tree_never_finds_a_row_without_weight():
    tree = SumTree(8)
    tree.set(np.array([1, 2]), np.array([0.1, 0.2]))
    assert tree.find(np.array([tree.total, np.nextafter(tree.total, 9), 0.0])).tolist() == [2, 2, 1]


@pytest.mark.parametrize("capacity", [1, 31, 33, 5000, 400_000])
def test_tree_draws_in_proportion_whatever_its_size(capacity):
    rng = np.random.default_rng(1)
    weights = rng.random(capacity) * (rng.random(capacity) < 0.5)
    weights[-1] = 1.0
    tree = SumTree(capacity)
    tree.set(np.arange(capacity), weights)
    sums = weights.cumsum()
    masses = np.append(rng.random(3000) * tree.total * 0.999999, [0.0, tree.total])
    found = tree.find(masses)
    assert (weights[found] > 0).all()
    slack = 1e-9 * tree.total
    assert (sums[found] >= masses - slack).all()
    assert (sums[found] - weights[found] <= masses + slack).all()


def test_tree_rebuilt_from_its_leaves_is_equal_bit_for_bit():
    rng = np.random.default_rng(0)
    tree = SumTree(1000)
    for _ in range(200):
        rows = rng.integers(0, 700, 50)
        tree.set(rows, rng.random(50) * 10.0 ** rng.integers(-9, 9, 50))
    copy = pickle.loads(pickle.dumps(tree))
    for ours, theirs in zip([*tree._levels, tree._top], [*copy._levels, copy._top], strict=True):
        assert np.array_equal(ours, theirs)
    assert len(pickle.dumps(tree)) < 700 * 8 + 500


def test_last_weight_holds_where_a_row_comes_twice():
    tree = SumTree(4)
    tree.set(np.array([2, 2, 2]), np.array([1.0, 5.0, 3.0]))
    assert tree.total == 3.0


def test_transitions_are_drawn_in_proportion_to_their_priority():
    buffer = filled(alpha=1.0, epsilon=1e-12)
    set_errors(buffer, [1.0, 2.0, 3.0, 4.0])
    counts = np.bincount(buffer.sample_transitions(10_000)["row"], minlength=4)
    assert np.abs(counts - [1000, 2000, 3000, 4000]).max() <= 1


def test_alpha_zero_draws_uniformly():
    buffer = filled(alpha=0.0)
    set_errors(buffer, [1.0, 20.0, 300.0, 0.0])
    counts = np.bincount(buffer.sample_transitions(1000)["row"], minlength=4)
    assert np.abs(counts - 250).max() <= 1


def test_sign_of_an_error_does_not_matter():
    buffer = filled(alpha=1.0, epsilon=1e-12)
    set_errors(buffer, [-1.0, 1.0, -1.0, 1.0])
    counts = np.bincount(buffer.sample_transitions(1000)["row"], minlength=4)
    assert np.abs(counts - 250).max() <= 1


def test_weights_are_those_of_the_paper():
    buffer = filled(alpha=1.0, beta=0.5, epsilon=1e-12)
    set_errors(buffer, [1.0, 4.0, 4.0, 16.0])
    drawn = buffer.sample_transitions(100)
    probabilities = np.array([1, 4, 4, 16]) / 25
    expected = (4 * probabilities) ** -0.5
    expected = expected / expected.max()
    assert np.allclose(drawn["weight"], expected[drawn["row"]], rtol=1e-6)
    assert drawn["weight"].dtype == np.float32


def test_beta_grows_to_one():
    buffer = filled(beta=0.4, beta_samples=30)
    seen = []
    for _ in range(5):
        seen.append(buffer.beta)
        buffer.sample_transitions(10)
    assert seen == pytest.approx([0.4, 0.6, 0.8, 1.0, 1.0])


def test_new_transition_has_the_largest_priority_so_far():
    buffer = filled(alpha=1.0, epsilon=1e-12)
    set_errors(buffer, [0.0, 0.0, 0.0, 9.0])
    set_errors(buffer, [0.0, 0.0, 0.0, 0.0])
    buffer.add_episode_batch(batch([1], first=50))
    assert (buffer.sample_transitions(50)["reward"] == 50).all()


def test_overwritten_transition_loses_its_priority():
    buffer = PrioritizedReplayBuffer(4, SPEC, alpha=1.0)
    buffer.add_episode_batch(batch([4]))
    set_errors(buffer, [100.0, 1.0, 1.0, 1.0])
    set_errors(buffer, [1.0, 1.0, 1.0, 1.0])
    buffer.add_episode_batch(batch([1], first=9))
    assert np.bincount(buffer.sample_transitions(1030)["row"]).tolist()[0] == pytest.approx(1000, 1)


def test_pickled_buffer_goes_on_alike():
    buffer = PrioritizedReplayBuffer(6, SPEC)
    buffer.add_episode_batch(batch([5, 4]))
    drawn = buffer.sample_transitions(4)
    buffer.update_priorities(drawn, np.array([3.0, 1.0, 0.2, 7.0]))
    copy = pickle.loads(pickle.dumps(buffer))
    ours, theirs = buffer.sample_transitions(100), copy.sample_transitions(100)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert copy._priorities.total == buffer._priorities.total
    assert copy.beta == buffer.beta


@pytest.mark.parametrize("suffix", ["pt", "npz", "csv"])
def test_priorities_survive_a_file(suffix, tmp_path):
    buffer = PrioritizedReplayBuffer(6, SPEC)
    buffer.add_episode_batch(batch([5, 4]))
    buffer.update_priorities(buffer.sample_transitions(3), np.array([3.0, 0.1, 7.0]))
    buffer.export(tmp_path / f"memory.{suffix}")
    other = PrioritizedReplayBuffer(6)
    other.load(tmp_path / f"memory.{suffix}")
    assert np.array_equal(other._priorities.weights, buffer._priorities.weights)
    assert (other.beta, other._largest_priority) == (buffer.beta, buffer._largest_priority)


def test_full_ring_is_exported_with_its_priorities(tmp_path):
    buffer = PrioritizedReplayBuffer(
        4, SPEC, export_when_full=tmp_path, export_format="npz", alpha=1.0, epsilon=1e-12
    )
    buffer.add_episode_batch(batch([3]))
    set_errors(buffer, [4.0, 5.0, 6.0])
    buffer.add_episode_batch(batch([2], first=10))
    other = PrioritizedReplayBuffer(4)
    other.load(tmp_path / "memory_000000.npz")
    assert other._priorities.weights.tolist() == pytest.approx([4.0, 5.0, 6.0, 6.0])


def test_cleared_buffer_forgets_priorities():
    buffer = filled()
    set_errors(buffer, [5.0] * 4)
    buffer.clear()
    assert buffer._priorities.total == 0.0
    buffer.add_episode_batch(batch([2]))
    assert buffer._priorities.weights.tolist() == [1.0, 1.0]


def test_errors_must_be_finite():
    with pytest.raises(ValueError, match="errors must be finite"):
        set_errors(filled(), [np.nan, 1.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 1.5}, r"alpha must be in \[0, 1\], got 1.5"),
        ({"beta": -0.1}, r"beta must be in \[0, 1\], got -0.1"),
        ({"beta_samples": 0}, "beta_samples must be at least 1, got 0"),
        ({"epsilon": 0.0}, "epsilon must be positive, got 0.0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PrioritizedReplayBuffer(5, SPEC, **options)
