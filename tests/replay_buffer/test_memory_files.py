"""Replay memory in files: pt, npz and csv, there and back, and what is wrong with bad ones."""

import csv
import json
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gymnasium import spaces

sys.path.insert(0, str(Path(__file__).parent))
from episodes import DISCRETE_SPEC, SPEC, batch, paths, stored_steps

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.interop.export import export_table
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk.manifest import Manifest

FORMATS = ["pt", "npz", "csv"]


def wrapped(spec: EnvSpec = SPEC) -> PathBuffer:
    """Return a buffer that has wrapped in the middle of an episode."""
    buffer = PathBuffer(7, spec)
    buffer.add_episode_batch(batch([4, 2], spec=spec))
    buffer.add_episode_batch(batch([4], first=30, last=StepType.TIMEOUT, spec=spec))
    return buffer


def assert_same_rows(ours: PathBuffer, theirs: PathBuffer) -> None:
    for name, column in ours._table.columns.items():
        assert theirs._table.columns[name].dtype == column.dtype
        assert ours._table.column(name).tobytes() == theirs._table.column(name).tobytes(), name


@pytest.mark.parametrize("spec", [SPEC, DISCRETE_SPEC])
@pytest.mark.parametrize("suffix", FORMATS)
def test_k15_content_and_cursor_come_back_exactly(suffix, spec, tmp_path):
    buffer = wrapped(spec)
    buffer.export(tmp_path / f"memory.{suffix}")
    other = PathBuffer(7, spec)
    other.load(tmp_path / f"memory.{suffix}")
    assert_same_rows(buffer, other)
    for one in (buffer, other):
        one.add_episode_batch(batch([2], first=60, spec=spec))
    assert stored_steps(other) == stored_steps(buffer)
    assert paths(other) == paths(buffer)


@pytest.mark.parametrize("suffix", FORMATS)
def test_half_full_memory_goes_on_after_its_last_row(suffix, tmp_path):
    buffer = PathBuffer(9, SPEC)
    buffer.add_episode_batch(batch([3], last=StepType.MID))
    buffer.export(tmp_path / f"memory.{suffix}")
    other = PathBuffer(9)
    other.load(tmp_path / f"memory.{suffix}")
    other.add_episode_batch(batch([2], first=3, begins=False))
    assert paths(other) == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("suffix", FORMATS)
def test_any_float_comes_back_exactly(suffix, tmp_path):
    numbers = [0.1, -0.0, 1e-45, 3.4e38, np.pi, np.inf, -np.inf, np.nan]
    episodes = batch([len(numbers)])
    episodes.observations[:, 1] = numbers
    buffer = PathBuffer(20, SPEC)
    buffer.add_episode_batch(episodes)
    buffer.export(tmp_path / f"memory.{suffix}")
    other = PathBuffer(20, SPEC)
    other.load(tmp_path / f"memory.{suffix}")
    assert_same_rows(buffer, other)


@pytest.mark.parametrize("suffix", FORMATS)
def test_k15_false_stays_false(suffix, tmp_path):
    spec = EnvSpec(spaces.Box(0, 1, (2,), np.bool_), spaces.MultiBinary(3))
    truth = np.array([[False, True], [True, False], [False, False]])
    episodes = EpisodeBatch(
        env_spec=spec,
        episode_infos_by_episode={},
        observations=truth,
        last_observations=truth[:1],
        actions=np.array([[0, 1, 0], [1, 1, 1], [0, 0, 0]], np.int8),
        rewards=np.zeros(3),
        env_infos={},
        agent_infos={},
        step_types=np.array([0, 1, 2], np.uint8),
        lengths=np.array([3]),
    )
    buffer = PathBuffer(5, spec)
    buffer.add_episode_batch(episodes)
    buffer.export(tmp_path / f"memory.{suffix}")
    other = PathBuffer(5)
    other.load(tmp_path / f"memory.{suffix}")
    assert other._table.column("observation").tolist() == truth.tolist()
    assert other._table.column("observation").dtype == np.bool_
    assert_same_rows(buffer, other)


def test_format_may_be_said_instead_of_the_suffix(tmp_path):
    wrapped().export(tmp_path / "memory", "npz")
    other = PathBuffer(7)
    other.load(tmp_path / "memory", "npz")
    assert stored_steps(other) == stored_steps(wrapped())


def test_k14_other_programs_read_the_files(tmp_path):
    buffer = wrapped()
    for suffix in FORMATS:
        buffer.export(tmp_path / f"memory.{suffix}")
    rewards = buffer._table.column("reward")
    with np.load(tmp_path / "memory.npz", allow_pickle=False) as archive:
        assert np.array_equal(archive["reward"], rewards)
    tensors = torch.load(tmp_path / "memory.pt", weights_only=True)
    assert np.array_equal(tensors["reward"].numpy(), rewards)
    with open(tmp_path / "memory.csv", newline="") as file:
        assert json.loads(file.readline()[1:])["cursor"] == 3
        rows = list(csv.DictReader(file))
    assert [float(row["reward"]) for row in rows] == rewards.tolist()
    assert float(rows[1]["observation[1]"]) == np.float32(0.1)


def test_uniform_buffer_leaves_priorities_aside(tmp_path):
    buffer = PrioritizedReplayBuffer(6, SPEC)
    buffer.add_episode_batch(batch([5]))
    buffer.export(tmp_path / "memory.npz")
    other = PathBuffer(6, SPEC)
    other.load(tmp_path / "memory.npz")
    assert paths(other) == [[0, 1, 2, 3, 4]]


def test_prioritized_buffer_takes_a_memory_without_priorities(tmp_path):
    wrapped().export(tmp_path / "memory.npz")
    other = PrioritizedReplayBuffer(7, SPEC)
    other.load(tmp_path / "memory.npz")
    assert other._priorities.weights.tolist() == [1.0] * 7


def test_full_ring_is_exported_each_time_and_nothing_is_left_out(tmp_path):
    buffer = PathBuffer(5, SPEC, export_when_full=tmp_path / "memory", export_format="npz")
    buffer.add_episode_batch(batch([3]))
    assert not (tmp_path / "memory").exists()
    buffer.add_episode_batch(batch([4, 1, 1, 1], first=10))
    buffer = pickle.loads(pickle.dumps(buffer))
    buffer.add_episode_batch(batch([5], first=40))
    steps = []
    for number in range(3):
        other = PathBuffer(5)
        other.load(tmp_path / "memory" / f"memory_{number:06d}.npz")
        steps += stored_steps(other)
    assert steps == [0, 1, 2, 10, 11, 12, 13, 15, 17, 19, 40, 41, 42, 43, 44]
    assert len(list((tmp_path / "memory").iterdir())) == 3


def test_exported_ring_of_single_steps_has_single_paths(tmp_path):
    buffer = PathBuffer(4, SPEC, export_when_full=tmp_path, export_format="npz")
    buffer.add_episode_batch(batch([1, 1]))
    buffer.add_episode_batch(batch([1, 1, 1, 1], first=40))
    buffer.add_episode_batch(batch([1, 1, 1, 1], first=60))
    other = PathBuffer(4)
    other.load(tmp_path / "memory_000001.npz")
    assert paths(other) == [[44], [46], [60], [62]]


def test_export_leaves_no_unfinished_file(tmp_path):
    wrapped().export(tmp_path / "deep" / "memory.csv")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["memory.csv"]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        PathBuffer(5).load(tmp_path / "nothing.npz")


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match="format must be 'pt', 'npz' or 'csv', got 'h5'"):
        wrapped().export(tmp_path / "memory.h5")
    with pytest.raises(ValueError, match="format must be 'pt', 'npz' or 'csv', got 'h5'"):
        PathBuffer(5, export_format="h5")


def test_empty_buffer_is_not_exported(tmp_path):
    with pytest.raises(ValueError, match="buffer is empty"):
        PathBuffer(5, SPEC).export(tmp_path / "memory.npz")


def test_other_capacity_is_refused(tmp_path):
    wrapped().export(tmp_path / "memory.npz")
    with pytest.raises(ValueError, match="make it with capacity_in_transitions=7"):
        PathBuffer(8, SPEC).load(tmp_path / "memory.npz")


def test_other_columns_are_refused_and_the_buffer_is_unchanged(tmp_path):
    wrapped().export(tmp_path / "memory.npz")
    buffer = PathBuffer(7, DISCRETE_SPEC)
    buffer.add_episode_batch(batch([3], spec=DISCRETE_SPEC))
    with pytest.raises(ValueError, match=r"holds the columns .*action float32\[1\].*this buffer"):
        buffer.load(tmp_path / "memory.npz")
    assert paths(buffer) == [[0, 1, 2]]


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_file_is_refused(suffix, tmp_path):
    path = tmp_path / f"memory.{suffix}"
    wrapped().export(path)
    path.write_bytes(path.read_bytes()[:-30])
    buffer = wrapped()
    with pytest.raises(ValueError, match=f"is no replay memory in {suffix} format"):
        buffer.load(path)
    assert_same_rows(buffer, wrapped())


@pytest.mark.parametrize("suffix", FORMATS)
def test_foreign_file_is_refused(suffix, tmp_path):
    path = tmp_path / f"memory.{suffix}"
    path.write_bytes(b"\xff\x00 something else")
    with pytest.raises(ValueError, match=f"is no replay memory in {suffix} format"):
        PathBuffer(7).load(path)


def edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "it has version 2, expected 1"),
        ('"cursor": 3', '"cursor": 7', "do not go with row 7 as the next"),
        ('"rows": 7', '"rows": 6', "expected 6 rows, found 7"),
        ("reward", "profit", "expected the columns"),
        ('"extras": {}', '"extras": 3', "extras = 3, expected dict"),
        (",3\n", ",three\n", "column 'step_type': invalid literal"),
        (",3\n", "\n", "line 5 has 7 cells, expected 8"),
    ],
)
def test_edited_csv_says_what_is_wrong(old, new, message, tmp_path):
    wrapped().export(tmp_path / "memory.csv")
    with pytest.raises(ValueError, match=message):
        PathBuffer(7).load(edited(tmp_path / "memory.csv", old, new))


def exported_table(buffer: PathBuffer, run: Path, out: Path) -> Path:
    """Save a buffer in a snapshot, and export its table as the command does."""
    snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=run))
    snapshotter.save({"algo": SimpleNamespace(replay_buffer=buffer)}, Manifest(epoch=0))
    snapshotter.close()
    export_table(read_snapshot(run), "replay_buffer", out.suffix[1:], out)
    return out


@pytest.mark.parametrize("spec", [SPEC, DISCRETE_SPEC])
@pytest.mark.parametrize("capacity", [7, 20])
@pytest.mark.parametrize("suffix", FORMATS)
def test_exported_table_is_loaded_the_oldest_first(suffix, capacity, spec, tmp_path):
    buffer = wrapped(spec)
    other = PathBuffer(capacity, spec)
    other.load(exported_table(buffer, tmp_path / "run", tmp_path / f"table.{suffix}"))
    assert paths(other) == paths(buffer)
    for name in other._table.columns.keys() - {"segment"}:
        ours = np.roll(buffer._table.column(name), -buffer._cursor, axis=0)
        assert other._table.column(name).tobytes() == ours.tobytes(), name
    for one in (buffer, other):
        one.add_episode_batch(batch([2], first=60, spec=spec))
    assert stored_steps(other)[-2:] == [60, 61] or capacity == 7
    assert capacity == 20 or sorted(stored_steps(other)) == sorted(stored_steps(buffer))


@pytest.mark.parametrize("suffix", FORMATS)
def test_exported_table_is_held_to_what_the_buffer_keeps(suffix, tmp_path):
    path = exported_table(wrapped(), tmp_path / "run", tmp_path / f"table.{suffix}")
    with pytest.raises(ValueError, match=r"holds 7 transitions, more than 6; make .* larger"):
        PathBuffer(6, SPEC).load(path)
    with pytest.raises(ValueError, match="does not say what its columns are; pass env_spec"):
        PathBuffer(7).load(path)
    wide = PathBuffer(7, EnvSpec(spaces.Box(-1, 1, (3,), np.float32), SPEC.action_space))
    with pytest.raises(ValueError, match=r"each observation must have shape \(3,\)"):
        wide.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "neither a header nor a column 'segment'"),
        ("reward\n1.0\n", "neither a header nor a column 'segment'"),
        ("segment,reward\n0,1.0\n0\n", "expected 2 cells in each line"),
        ("segment,reward\n0,much\n", "column 'reward' holds something else than numbers"),
        ("segment,action[1]\n0,1.0\n", "columns of 'action' are not numbered from 0"),
        ("segment,reward\n0,1.0\n", "lacks the columns"),
    ],
)
def test_csv_of_unknown_origin_is_told_what_it_lacks(text, message, tmp_path):
    (tmp_path / "memory.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        PathBuffer(7, SPEC).load(tmp_path / "memory.csv")
