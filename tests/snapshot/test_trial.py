"""Restores that are tried: what would not come back is named by its path."""

import contextlib
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from garage_like.errors import SnapshotRestoreError
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.trial import GONE, TOO_LARGE, RestoreTrial, try_restore


class Node:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class NeedsServer(Node):
    def __setstate__(self, state):
        raise ConnectionError("no server at port 9000")


class Forgets(Node):
    def __setstate__(self, state):
        vars(self).update(state)
        self.count += 1
        self.table = self.table + 1
        del self.name


class AsksForKey(Node):
    def __reduce__(self):
        return dict.__getitem__, ({}, "key")


def saved(tmp_path, epoch=0, **graph):
    snapshotter = Snapshotter(
        SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all", async_save=False)
    )
    return snapshotter.save(graph, Manifest(epoch=epoch))


def test_nothing_is_said_of_what_comes_back(tmp_path):
    table = np.arange(6.0)
    node = Node(table=table, view=table[::2], rng=np.random.default_rng(1), many={1, 2}, nan=np.nan)
    node.self = node
    assert try_restore(saved(tmp_path, algo=node, env=None)) == []


def test_replay_memory_of_a_class_of_the_launcher_is_not_compared_either(tmp_path):
    class Buffer(PathBuffer):
        pass

    buffer = Buffer(capacity_in_transitions=10)
    names = ("observation", "action", "reward", "next_observation", "terminal")
    buffer.add_path({name: np.ones((3, 1)) for name in names})
    assert try_restore(saved(tmp_path, algo=Node(buffer=buffer), env=None)) == []


def test_environments_of_worker_processes_are_tried_without_workers(tmp_path):
    def make():
        return gym.make("CartPole-v1")

    envs = gym.vector.AsyncVectorEnv([make, make], context="fork")
    envs.reset(seed=1)
    path = saved(tmp_path, algo=Node(envs=envs), env=None)
    envs.close()
    assert try_restore(path) == []
    del envs
    assert not multiprocessing.active_children()


def test_object_that_cannot_be_built_is_named_by_path_and_class(tmp_path):
    path = saved(tmp_path, algo=Node(parts={"x": [1, NeedsServer(port=9000)]}), env=None)
    (problem,) = try_restore(path)
    assert problem.startswith("algo.parts.x[1] (")
    assert problem.endswith(
        "test_trial.NeedsServer) cannot be restored: ConnectionError: no server at port 9000"
    )


def test_call_that_fails_is_named_where_its_result_would_be(tmp_path):
    path = saved(tmp_path, algo=Node(first=Node(), thing=AsksForKey()), env=None)
    (problem,) = try_restore(path)
    assert problem.startswith("algo.thing (")
    assert problem.endswith("KeyError: 'key'")


def test_what_comes_back_otherwise_is_named_leaf_by_leaf(tmp_path):
    thing = Forgets(count=1, table=np.ones(3), name="a")
    problems = try_restore(saved(tmp_path, algo=Node(thing=thing), env=None))
    assert problems == [
        "algo.thing.name: is not there when it comes back",
        "algo.thing.count: saved as 1, comes back as 2",
        "algo.thing.table: other numbers come back than were saved",
    ]


def test_snapshot_that_has_gone_is_no_problem_of_the_run(tmp_path):
    assert try_restore(tmp_path / "snapshots" / "epoch_000000") == [GONE]


def test_what_does_not_fit_into_memory_is_not_tried(tmp_path, monkeypatch):
    path = saved(tmp_path, algo=Node(table=np.ones(1000)), env=None)
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    assert try_restore(path) == [TOO_LARGE]


def test_trial_in_a_process_of_its_own_touches_nothing_here(tmp_path):
    path = saved(tmp_path, algo=Node(thing=NeedsServer(port=1)), env=None)
    before = np.random.get_state(legacy=False)["state"]["key"].tolist()
    with contextlib.closing(RestoreTrial(path)) as trial:
        assert trial.wait(60)
        (problem,) = trial.problems()
    assert problem.startswith("algo.thing (")
    assert np.random.get_state(legacy=False)["state"]["key"].tolist() == before


def test_load_names_the_object(tmp_path):
    path = saved(tmp_path, algo=Node(thing=NeedsServer(port=1)), env=None)
    with pytest.raises(SnapshotRestoreError, match=r"algo\.thing \(.*NeedsServer\) cannot be"):
        Snapshotter().load(path)


def test_load_goes_back_to_a_snapshot_that_can_be_built(tmp_path):
    for epoch in range(5):
        things = [NeedsServer(port=1)] if epoch > 1 else []
        saved(tmp_path, epoch, algo=Node(epoch=epoch, things=things), env=None)
    with pytest.warns(UserWarning, match=r"going back to epoch_000001.*algo\.things\[0\]"):
        assert Snapshotter().load(tmp_path)["algo"].epoch == 1
    with pytest.raises(SnapshotRestoreError, match=r"epoch_000003: algo\.things\[0\]"):
        Snapshotter().load(tmp_path, 3)


SCRIPT = """
import sys
from pathlib import Path
from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.interfaces import RLAlgorithm

class NeedsServer:
    def __init__(self):
        self.port = 9000
    def __setstate__(self, state):
        raise ConnectionError("no server")

class Algorithm(RLAlgorithm):
    policy = None
    def __init__(self):
        self.tools = []
    def train_epoch(self, trainer):
        if trainer.step_itr == 2 and sys.argv[1] == "bad":
            self.tools.append(NeedsServer())
        trainer.step_itr += 1

@wrap_experiment(log_dir="run", snapshot_mode="all", archive_launch_repo=False, auto_resume=True)
def train(ctxt):
    trainer = Trainer(ctxt)
    trainer.setup(Algorithm(), GymEnv("CartPole-v1"))
    trainer.train(int(sys.argv[2]))

train()
"""


def run(tmp_path, *arguments):
    (tmp_path / "script.py").write_text(SCRIPT)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "GARAGE_LIKE_TRY_RESTORE": "60"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_run_says_what_would_not_come_back_and_its_snapshots_do(tmp_path):
    trained = run(tmp_path, "script.py", "bad", "4")
    assert trained.returncode == 0
    assert "algo.tools[0] (__main__.NeedsServer) cannot be restored: ConnectionError" in (
        trained.stdout
    )
    newest = Manifest.read(tmp_path / "run" / "snapshots" / "epoch_000003")
    assert not newest.exact
    assert newest.reasons[0].startswith("algo.tools[0] (__main__.NeedsServer)")
    checked = run(tmp_path, "-m", "garage_like", "verify", "run", "--restore")
    assert checked.returncode == 1
    assert "lost in a restore: algo.tools[0] (__main__.NeedsServer)" in checked.stdout
    assert "every digest holds" in checked.stdout
    again = run(tmp_path, "script.py", "good", "4")
    assert again.returncode == 0
    assert "going back to epoch_000001" in again.stderr
    assert run(tmp_path, "-m", "garage_like", "verify", "run", "--restore").returncode == 0


def test_run_that_comes_back_is_called_exact(tmp_path):
    trained = run(tmp_path, "script.py", "good", "3")
    assert "restored" not in trained.stdout
    assert Manifest.read(tmp_path / "run" / "snapshots" / "epoch_000002").exact
    checked = run(tmp_path, "-m", "garage_like", "verify", "run", "--restore")
    assert checked.stdout.endswith("3 snapshots, every digest holds, restored\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["np_CEM", "torch_TRPO", "torch_SAC", "tf_DQN", "tf_PPO"])
def test_no_alarm_is_raised_of_what_is_ours(name, tmp_path):
    launcher = Path(__file__).parents[1] / "as_a_user" / "launcher.py"
    trained = run(tmp_path, str(launcher), "start", name)
    assert trained.stdout.endswith(f"status of {name}: 0\n")
    newest = Manifest.read(tmp_path / f"data/local/experiment/{name}/snapshots/epoch_000003")
    assert newest.exact, newest.reasons
