"""PathBuffer: what goes in comes out, the ring wraps, episodes stay paths."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

sys.path.insert(0, str(Path(__file__).parent))
from episodes import DISCRETE_SPEC, SPEC, batch, paths, stored_steps

from garage_like.data.batches import StepType, TimeStepBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer


def test_transitions_come_out_as_they_went_in():
    buffer = PathBuffer(10, SPEC)
    buffer.add_episode_batch(batch([4]))
    drawn = buffer.sample_transitions(50)
    steps = drawn["reward"]
    assert np.array_equal(drawn["observation"][:, 0], steps)
    assert np.array_equal(drawn["next_observation"][:, 0], steps + 1)
    assert np.array_equal(drawn["action"][:, 0], (steps / 1000).astype(np.float32))
    assert np.array_equal(drawn["step_type"] == StepType.TERMINAL, steps == 3)
    assert set(steps.tolist()) == {0, 1, 2, 3}


def test_floats_are_float32_and_discrete_actions_integers():
    buffer = PathBuffer(10)
    buffer.add_episode_batch(batch([4], spec=DISCRETE_SPEC))
    drawn = buffer.sample_transitions(3)
    assert drawn["observation"].dtype == drawn["reward"].dtype == np.float32
    assert drawn["action"].dtype == np.int64
    assert drawn["action"].shape == (3,)
    assert drawn["step_type"].dtype == np.uint8


def test_timeout_is_told_from_termination():
    buffer = PathBuffer(10, SPEC)
    buffer.add_episode_batch(batch([3], last=StepType.TIMEOUT))
    drawn = buffer.sample_timesteps(100)
    assert isinstance(drawn, TimeStepBatch)
    assert not drawn.terminals.any()
    assert (drawn.step_types == StepType.TIMEOUT).any()


def test_class_with_an_add_path_of_its_own_gets_each_path():
    class Doubling(PathBuffer):
        def add_path(self, path):
            super().add_path({**path, "reward": 2 * path["reward"]})

    episodes = batch([3, 1, 2], last=StepType.TIMEOUT)
    set_seed(1)
    plain = PathBuffer(10)
    set_seed(1)
    doubling = Doubling(10)
    plain.add_episode_batch(episodes)
    doubling.add_episode_batch(episodes)
    assert doubling.n_paths_stored == plain.n_paths_stored == 3
    doubled = doubling.sample_transitions(50)
    for name, column in plain.sample_transitions(50).items():
        expected = 2 * column if name == "reward" else column
        np.testing.assert_array_equal(doubled[name], expected)


def test_images_keep_their_bytes():
    space = spaces.Box(0, 255, (3, 4, 2), np.uint8)
    pixels = np.arange(24, dtype=np.uint8).reshape(1, 3, 4, 2)
    spec = EnvSpec(space, spaces.Discrete(3))
    episodes = batch([1], spec=DISCRETE_SPEC)
    images = type(episodes)(
        **{
            **episodes.__dict__,
            "env_spec": spec,
            "observations": pixels,
            "last_observations": pixels + 100,
        }
    )
    buffer = PathBuffer(5, spec)
    buffer.add_episode_batch(images)
    drawn = buffer.sample_transitions(2)
    assert drawn["observation"].dtype == np.uint8
    assert np.array_equal(drawn["observation"][1], pixels[0])
    assert np.array_equal(drawn["next_observation"][0], pixels[0] + 100)


def test_ring_keeps_the_newest():
    buffer = PathBuffer(5, SPEC)
    buffer.add_episode_batch(batch([3]))
    buffer.add_episode_batch(batch([4], first=10))
    assert stored_steps(buffer) == [12, 13, 2, 10, 11]
    assert buffer.n_transitions_stored == 5


def test_rest_of_an_overwritten_episode_stays_a_path():
    buffer = PathBuffer(6, SPEC)
    buffer.add_episode_batch(batch([4, 2]))
    assert paths(buffer) == [[0, 1, 2, 3], [5, 6]]
    buffer.add_episode_batch(batch([3], first=20))
    assert paths(buffer) == [[3], [5, 6], [20, 21, 22]]
    buffer.add_episode_batch(batch([2], first=30))
    assert paths(buffer) == [[6], [20, 21, 22], [30, 31]]


def test_episode_that_wraps_round_the_end_is_one_path():
    buffer = PathBuffer(5, SPEC)
    buffer.add_episode_batch(batch([3]))
    buffer.add_episode_batch(batch([4], first=10))
    assert paths(buffer) == [[2], [10, 11, 12, 13]]


def test_episode_longer_than_the_ring_keeps_its_newest_steps():
    buffer = PathBuffer(5, SPEC)
    buffer.add_episode_batch(batch([2, 8]))
    assert sorted(stored_steps(buffer)) == [6, 7, 8, 9, 10]
    assert paths(buffer) == [[6, 7, 8, 9, 10]]


def test_fragments_that_follow_each_other_are_one_path():
    buffer = PathBuffer(20, SPEC)
    buffer.add_episode_batch(batch([3], last=StepType.MID))
    buffer.add_episode_batch(batch([2], first=3, begins=False, last=StepType.MID))
    buffer.add_episode_batch(batch([1], first=5, begins=False))
    buffer.add_episode_batch(batch([2], first=6))
    assert paths(buffer) == [[0, 1, 2, 3, 4, 5], [6, 7]]


def test_fragment_of_another_episode_begins_a_path():
    buffer = PathBuffer(20, SPEC)
    buffer.add_episode_batch(batch([3], last=StepType.MID))
    buffer.add_episode_batch(batch([2], first=70, begins=False))
    assert paths(buffer) == [[0, 1, 2], [70, 71]]


def test_fragments_join_across_the_end_of_the_ring():
    buffer = PathBuffer(5, SPEC)
    buffer.add_episode_batch(batch([4], last=StepType.MID))
    buffer.add_episode_batch(batch([3], first=4, begins=False, last=StepType.MID))
    assert paths(buffer) == [[2, 3, 4, 5, 6]]


@pytest.mark.parametrize("seed", range(20))
def test_paths_are_what_a_plain_list_would_keep(seed):
    rng = np.random.default_rng(seed)
    capacity = int(rng.integers(1, 12))
    buffer, kept, first = PathBuffer(capacity, SPEC), [], 0
    for _ in range(40):
        lengths = rng.integers(1, 6, rng.integers(1, 4)).tolist()
        buffer.add_episode_batch(batch(lengths, first))
        for length in lengths:
            kept += [(first, first + k) for k in range(length)]
            first += length + 1
        kept = kept[-capacity:]
        expected: dict[int, list[int]] = {}
        for episode, step in kept:
            expected.setdefault(episode, []).append(step)
        assert paths(buffer) == list(expected.values())


def test_sample_path_draws_every_path_in_order():
    buffer = PathBuffer(20, SPEC)
    buffer.add_episode_batch(batch([3, 2]))
    drawn = {tuple(buffer.sample_path()["reward"].astype(int)) for _ in range(30)}
    assert drawn == {(0, 1, 2), (4, 5)}


def test_samples_follow_from_the_seed():
    draws = []
    for _ in range(2):
        set_seed(4)
        buffer = PathBuffer(100, SPEC)
        buffer.add_episode_batch(batch([50]))
        draws.append(buffer.sample_transitions(20)["reward"].tolist())
    assert draws[0] == draws[1]


def test_pickled_buffer_goes_on_alike():
    buffer = PathBuffer(7, SPEC)
    buffer.add_episode_batch(batch([4, 5]))
    buffer.sample_transitions(3)
    copy = pickle.loads(pickle.dumps(buffer))
    for one in (buffer, copy):
        one.add_episode_batch(batch([3], first=50))
    assert paths(copy) == paths(buffer)
    ours, theirs = buffer.sample_transitions(30), copy.sample_transitions(30)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_cleared_buffer_is_like_new():
    buffer = PathBuffer(5, SPEC)
    buffer.add_episode_batch(batch([7]))
    buffer.clear()
    assert buffer.n_transitions_stored == buffer.n_paths_stored == 0
    buffer.add_episode_batch(batch([2]))
    assert paths(buffer) == [[0, 1]]


def test_large_capacity_touches_memory_of_its_rows_only():
    code = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from gymnasium import spaces
from episodes import batch, SPEC
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

batch_ = batch([1000])
PathBuffer(10, SPEC).add_episode_batch(batch([5]))
before = resident()
buffers = [PathBuffer(1_000_000, SPEC), PrioritizedReplayBuffer(1_000_000, SPEC)]
for buffer in buffers:
    buffer.add_episode_batch(batch_)
    buffer.sample_transitions(100)
print(resident() - before)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    # A million rows would be 100 MB; transparent huge pages may round each array up by 2 MB.
    assert int(ran.stdout) < 20e6


def test_timesteps_need_an_environment(tmp_path):
    buffer = PathBuffer(5, SPEC)
    buffer.add_episode_batch(batch([2]))
    buffer.export(tmp_path / "memory.npz")
    loaded = PathBuffer(5)
    loaded.load(tmp_path / "memory.npz")
    with pytest.raises(ValueError, match="needs to know the environment; pass env_spec"):
        loaded.sample_timesteps(1)
    loaded.add_episode_batch(batch([1], first=9))
    assert loaded.sample_timesteps(1).env_spec is SPEC


def test_empty_buffer_says_how_to_fill_it():
    for draw in (PathBuffer(5).sample_path, lambda: PathBuffer(5, SPEC).sample_transitions(1)):
        with pytest.raises(ValueError, match="buffer is empty; call add_episode_batch"):
            draw()


@pytest.mark.parametrize("capacity", [0, -3])
def test_capacity_must_be_positive(capacity):
    with pytest.raises(ValueError, match="capacity_in_transitions must be at least 1"):
        PathBuffer(capacity)


def test_capacity_must_be_an_integer():
    with pytest.raises(TypeError, match="capacity_in_transitions must be an integer, got 1000"):
        PathBuffer(1e6)


def test_spaces_must_come_as_one_array():
    spec = EnvSpec(spaces.Dict(a=spaces.Discrete(2)), spaces.Discrete(2))
    with pytest.raises(ValueError, match="flatten_obs=True"):
        PathBuffer(5, spec)


def test_episodes_of_another_environment_are_refused():
    buffer = PathBuffer(5, SPEC)
    with pytest.raises(ValueError, match=r"each action must have shape \(1,\)"):
        buffer.add_episode_batch(batch([2], spec=DISCRETE_SPEC))
    assert buffer.n_transitions_stored == 0


def test_a_prioritized_buffer_adds_its_own_columns_alone():
    buffer = PrioritizedReplayBuffer(5)
    buffer.add_path({"seen": np.ones((2, 1))})
    assert buffer.sample_transitions(3).keys() == {"seen", "weight", "row"}


def test_paths_of_any_columns_are_kept_without_an_environment():
    buffer = PathBuffer(5)
    buffer.add_path({"seen": np.array([[1.0], [2.0]]), "done": np.zeros((2, 3), np.uint8)})
    buffer.add_path({"seen": np.full((3, 1), 7.0), "done": np.ones((3, 3), np.uint8)})
    assert (buffer.n_transitions_stored, buffer.n_paths_stored) == (5, 2)
    assert set(buffer.sample_transitions(40)["seen"][:, 0].tolist()) == {1.0, 2.0, 7.0}
    paths = {tuple(buffer.sample_path()["seen"][:, 0].tolist()) for _ in range(20)}
    assert paths == {(1.0, 2.0), (7.0, 7.0, 7.0)}
    buffer.add_path({"seen": np.full((4, 1), 9.0), "done": np.ones((4, 3), np.uint8)})
    assert buffer.sample_transitions(3).keys() == {"seen", "done"}
    assert buffer.n_paths_stored == 2
    for wrong in (
        {},
        {"seen": np.zeros((2, 1))},
        {"seen": np.zeros((2, 2)), "done": np.zeros((2, 3))},
        {"seen": np.zeros((1, 1)), "done": np.zeros((2, 3))},
        {"seen": np.zeros(2), "done": np.zeros((2, 3))},
    ):
        with pytest.raises(ValueError, match="under the names of the first path"):
            buffer.add_path(wrong)
    with pytest.raises(ValueError, match="6 rows does not fit into 5"):
        buffer.add_path({"seen": np.zeros((6, 1)), "done": np.zeros((6, 3))})
    for name in ("segment", "step_type"):
        with pytest.raises(ValueError, match="none may be called segment or step_type"):
            PathBuffer(5).add_path({"seen": np.zeros((2, 1)), name: np.zeros((2, 1))})
    with pytest.raises(ValueError, match=r"paths of columns of their own.*clear\(\) first"):
        buffer.add_episode_batch(batch([2]))
    assert buffer.env_spec is None
    buffer.clear()
    buffer.add_episode_batch(batch([2]))
    assert buffer.n_transitions_stored == 2


def test_what_terminated_is_what_a_path_says_last():
    class Endless(PathBuffer):
        def add_path(self, path):
            super().add_path({**path, "terminal": np.zeros_like(path["terminal"])})

    buffer = Endless(10)
    buffer.add_episode_batch(batch([3, 2], last=StepType.TERMINAL))
    types = buffer.sample_transitions(50)["step_type"]
    assert (types == StepType.TIMEOUT).any()
    assert not (types == StepType.TERMINAL).any()
    assert buffer.n_paths_stored == 2
