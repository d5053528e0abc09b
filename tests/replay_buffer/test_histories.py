"""Histories of paths that several environments added in turn, piece by piece."""

import dataclasses
import pickle

import numpy as np
import pytest

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.replay_buffer import PathBuffer
from tests.replay_buffer.episodes import SPEC


def pieces(step, envs, length=1, kind=StepType.MID):
    """Steps of several environments: each observes (step, its number)."""
    rows = np.array([[step + k, env] for env in envs for k in range(length)], np.float64)
    types = np.full(len(rows), StepType.MID, np.uint8)
    types[::length] = kind
    return EpisodeBatch(
        env_spec=SPEC,
        episode_infos_by_episode={},
        observations=rows,
        last_observations=np.array([[step + length, env] for env in envs], np.float64),
        actions=rows[:, :1],
        rewards=rows[:, 0],
        env_infos={},
        agent_infos={},
        step_types=types,
        lengths=np.full(len(envs), length),
    )


@pytest.mark.parametrize(("length", "capacity"), [(1, 100), (3, 100), (3, 29), (2, 11)])
def test_a_history_is_of_one_environment(length, capacity):
    buffer = PathBuffer(capacity, SPEC)
    envs = [5, 6, 7, 8]
    for number in range(8):
        kind = StepType.MID if number else StepType.FIRST
        buffer.add_episode_batch(pieces(number * length, envs, length, kind))
        envs = [envs[1], envs[0], *envs[2:]]  # the order in a batch is nobody's promise
        buffer = pickle.loads(pickle.dumps(buffer))
    drawn = buffer.sample_histories(200, 6)
    kept = {tuple(row) for row in buffer._table.column("observation").tolist()}
    for seen, now, own in zip(
        drawn["history_observation"], drawn["history_steps"], drawn["observation"], strict=True
    ):
        expected = own[0] - np.arange(now, -1, -1)
        assert seen[: now + 1, 0].tolist() == expected.tolist()
        assert set(seen[: now + 1, 1].tolist()) == {own[1]}
        cut_off = (own[0] - now - 1, own[1]) in kept
        assert now == 5 or not cut_off, "it goes back as far as the buffer does"


def test_what_ended_is_not_gone_on_from():
    buffer = PathBuffer(50, SPEC)
    ending = pieces(0, [1, 2], 2, StepType.FIRST)
    ending.step_types[1] = StepType.TERMINAL
    buffer.add_episode_batch(ending)
    buffer.add_episode_batch(pieces(2, [1, 2], 1, StepType.MID))
    drawn = buffer.sample_histories(300, 4)
    reach = {
        (row[0], row[1]): int(now)
        for row, now in zip(drawn["observation"].tolist(), drawn["history_steps"], strict=True)
    }
    assert reach == {(0, 1): 0, (1, 1): 1, (2, 1): 0, (0, 2): 0, (1, 2): 1, (2, 2): 2}


def test_environments_that_look_alike_are_told_apart_by_their_order():
    buffer = PathBuffer(50, SPEC)
    for step in range(4):
        piece = pieces(step, [1, 2, 3], 1, StepType.MID if step else StepType.FIRST)
        alike = dataclasses.replace(
            piece,
            observations=piece.observations * [1.0, 0.0],
            last_observations=piece.last_observations * [1.0, 0.0],
            actions=piece.observations[:, 1:],
        )
        buffer.add_episode_batch(alike)
    drawn = buffer.sample_histories(100, 4)
    for done, now, own in zip(
        drawn["history_action"], drawn["history_steps"], drawn["observation"], strict=True
    ):
        assert now == own[0]
        assert len(set(done[: now + 1, 0].tolist())) == 1


@pytest.mark.parametrize("name", ["memory.npz", "memory.csv"])
def test_what_was_loaded_is_gone_on_from_as_where_it_was_exported(tmp_path, name):
    buffer, other = PathBuffer(50, SPEC), PathBuffer(50, SPEC)
    for step in range(3):
        kind = StepType.MID if step else StepType.FIRST
        other.add_episode_batch(pieces(step, [3, 4, 5], 1, kind))
    other.export(tmp_path / name)
    buffer.add_episode_batch(pieces(2, [1, 2], 1, StepType.FIRST))
    buffer.load(tmp_path / name)
    buffer.add_episode_batch(pieces(3, [4, 1, 3]))  # 1 was of what the file replaced
    drawn = buffer.sample_histories(300, 5)
    reach = {
        (step, env): int(now)
        for (step, env), now in zip(
            drawn["observation"].tolist(), drawn["history_steps"], strict=True
        )
    }
    assert reach == {
        **{(step, env): step for step in range(3) for env in (3, 4, 5)},
        **{(3, 3): 3, (3, 4): 3, (3, 1): 0},
    }


class Halving(PathBuffer):
    """Stores paths by an `add_path` of its own."""

    def add_path(self, path):
        super().add_path({**path, "reward": path["reward"] / 2})


def test_histories_are_whole_where_paths_are_added_one_by_one():
    buffer, plain = Halving(40, SPEC), PathBuffer(40, SPEC)
    envs = [5, 6, 7]
    for step in range(6):
        kind = StepType.MID if step else StepType.FIRST
        for kept in (buffer, plain):
            kept.add_episode_batch(pieces(2 * step, envs, 2, kind))
        envs = [envs[1], envs[0], *envs[2:]]
    halved, drawn = (kept.sample_histories(200, 9) for kept in (buffer, plain))
    assert halved["history_steps"].tolist() == drawn["history_steps"].tolist()
    assert (halved["history_observation"] == drawn["history_observation"]).all()
    assert (2 * halved["reward"] == drawn["reward"]).all()
    assert max(halved["history_steps"]) == 8


def test_there_are_no_histories_of_columns_of_ones_own():
    buffer = PathBuffer(10)
    buffer.add_path({"obs": np.zeros((3, 1))})
    with pytest.raises(ValueError, match=r"observations and actions; this buffer holds obs$"):
        buffer.sample_histories(2, 2)
