"""Replay memory may be left out, when a snapshot is taken and when it is restored."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import off_policy_experiments

from garage_like.errors import SnapshotNotFoundError
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.graph.walk import leaves
from garage_like.trainer import Trainer

MEMORIES = ("uniform", "prioritized", "her")


def train(run_dir, memory="uniform", **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, **options))
    algo, env = off_policy_experiments.build("dqn", memory)
    trainer.setup(algo, env)
    trainer.train(n_epochs=3, batch_size=off_policy_experiments.BATCH_SIZE)
    return algo


@pytest.fixture(scope="module", params=MEMORIES)
def without(request, tmp_path_factory):
    """A run that leaves its memory out, and the algorithm that it ended with."""
    run_dir = tmp_path_factory.mktemp("without")
    return run_dir, train(run_dir, request.param, include_buffer=False)


@pytest.fixture(scope="module", params=MEMORIES)
def whole(request, tmp_path_factory):
    """A run that saves its memory, and the algorithm that it ended with."""
    run_dir = tmp_path_factory.mktemp("whole")
    return run_dir, train(run_dir, request.param)


def rest_of(algo):
    """Say what an algorithm is, but for its memory."""
    found = leaves({"algo": algo})
    return {path: leaf for path, leaf in found.items() if ".replay_buffer" not in path}


def state_of_empty(buffer):
    empty = buffer.without_transitions()
    return leaves({"buffer": empty})


def test_saving_without_memory_leaves_the_live_memory_alone(without):
    _, algo = without
    assert algo.replay_buffer.n_transitions_stored == 100
    assert algo.replay_buffer.n_paths_stored > 0


def test_v05_snapshot_without_memory_holds_no_transitions(without):
    run_dir, _ = without
    snapshot = read_snapshot(run_dir)
    assert not [name for name in snapshot.manifest.files if name.startswith("tables/")]
    assert snapshot.manifest.left_out == ["replay_buffer"]
    assert snapshot.tables == []


def test_snapshot_without_memory_is_not_called_exact(without):
    run_dir, _ = without
    manifest = read_snapshot(run_dir).manifest
    assert not manifest.exact
    assert manifest.reasons == ["replay memory 'replay_buffer' was left out (include_buffer=False)"]


def test_all_but_the_memory_comes_back(without):
    run_dir, algo = without
    restored = Snapshotter().load(run_dir)["algo"]
    assert rest_of(restored) == rest_of(algo)
    assert leaves({"buffer": restored.replay_buffer}) == state_of_empty(algo.replay_buffer)


def test_v09_asking_for_memory_that_was_not_saved_is_an_error_that_names_it(without):
    run_dir, _ = without
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir))
    with pytest.raises(SnapshotNotFoundError, match="replay memory replay_buffer was not saved"):
        trainer.restore(run_dir, include_buffer=True)
    with pytest.raises(SnapshotNotFoundError, match="'replay_buffer' was not saved"):
        read_snapshot(run_dir).table("replay_buffer")
    with pytest.raises(SnapshotNotFoundError, match=r"'replay_buffer\.segments' was not saved"):
        read_snapshot(run_dir).table("replay_buffer.segments")


def test_lost_memory_is_filled_by_the_policy_before_it_learns_again(without, tmp_path, capsys):
    run_dir, _ = without
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.restore(run_dir)
    algo = trainer._algo
    steps, weights = algo._gradient_steps, algo.policy.get_param_values()
    assert steps > 0
    agents = []
    collect = trainer.obtain_episodes
    trainer.obtain_episodes = lambda itr, **kw: (
        agents.append(kw["agent_update"]) or collect(itr, **kw)
    )
    trainer.resume(n_epochs=4)
    assert agents == [algo.exploration_policy] * 2
    assert algo.replay_buffer.n_transitions_stored == 2 * off_policy_experiments.BATCH_SIZE
    assert algo._gradient_steps == steps
    assert np.array_equal(weights, algo.policy.get_param_values())
    trainer.resume(n_epochs=5)
    assert algo._gradient_steps > steps


def test_resume_says_that_memory_was_left_out(without, tmp_path, capsys):
    run_dir, _ = without
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.restore(run_dir)
    said = capsys.readouterr().out
    assert "The resume is numerical" in said
    assert "'replay_buffer' was left out" in said


def test_c06_memory_of_each_epoch_is_in_its_snapshot(whole):
    run_dir, algo = whole
    rows = read_snapshot(run_dir).table("replay_buffer")
    assert len(rows["reward"]) == algo.replay_buffer.n_transitions_stored == 100
    restored = Snapshotter().load(run_dir)["algo"]
    assert leaves({"algo": restored}) == leaves({"algo": algo})


def test_saved_memory_may_be_left_on_the_disk(whole):
    run_dir, algo = whole
    restored = Snapshotter().load(run_dir, include_buffer=False)["algo"]
    assert rest_of(restored) == rest_of(algo)
    assert leaves({"buffer": restored.replay_buffer}) == state_of_empty(algo.replay_buffer)


def test_memory_left_on_the_disk_is_not_even_read(whole):
    run_dir, algo = whole
    snapshot = read_snapshot(run_dir).path
    for file in snapshot.glob("tables/*/*.safetensors"):
        file.write_bytes(b"rotten")
    with pytest.raises(Exception, match="tables/"):
        Snapshotter().load(snapshot)
    restored = Snapshotter().load(snapshot, include_buffer=False)["algo"]
    assert rest_of(restored) == rest_of(algo)


def test_leaving_memory_on_the_disk_is_said(tmp_path, capsys):
    train(tmp_path)
    Trainer(SnapshotConfig(snapshot_dir=tmp_path)).restore(tmp_path, include_buffer=False)
    said = capsys.readouterr().out
    assert "The resume is numerical" in said
    assert "replay memory was not loaded" in said


def test_live_memory_is_emptied_when_restored_without(tmp_path):
    algo = train(tmp_path)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(algo, off_policy_experiments.build("dqn", "uniform")[1])
    trainer.restore(tmp_path, include_buffer=False)
    assert algo.replay_buffer.n_transitions_stored == 0


def test_leaving_memory_out_changes_nothing_in_the_run_itself(tmp_path):
    with_memory = train(tmp_path / "a")
    without = train(tmp_path / "b", include_buffer=False)
    assert leaves({"algo": with_memory}) == leaves({"algo": without})


def test_what_else_is_saved_is_the_same_with_and_without_memory(tmp_path):
    train(tmp_path / "a")
    train(tmp_path / "b", include_buffer=False)
    ours, theirs = (
        {
            name: entry
            for name, entry in read_snapshot(tmp_path / run).manifest.files.items()
            if name.startswith("tensors/") and "replay_buffer" not in name
        }
        for run in "ab"
    )
    assert ours == theirs
    assert ours
