"""epochs: loops of the test's own, ended and begun again in this process."""

import contextlib
import random
import subprocess
import sys
import threading
import types

import gymnasium as gym
import numpy as np
import pytest

from garage_like import epochs
from garage_like.errors import SnapshotMismatchError, SnapshotSaveError
from garage_like.logging import tabular
from garage_like.snapshot import read_snapshot

N = 6


class Walker:
    """Something with attributes, as a script has it."""

    def __init__(self):
        self.place, self.rng = np.zeros(2), np.random.default_rng(4)

    def move(self):
        self.place += self.rng.normal(size=2) + np.random.rand() + random.random()


def fresh():
    random.seed(2)
    np.random.seed(3)
    bag = types.SimpleNamespace(walker=Walker(), seen=[], count=0)
    bag.same = bag.walker
    return bag


def body(bag):
    bag.walker.move()
    bag.count += 1
    bag.seen.append(bag.walker.place.sum())


@pytest.fixture
def run_script():
    def run_it(folder, script, *words):
        folder.mkdir(exist_ok=True)
        (folder / "script.py").write_text(script)
        done = subprocess.run(
            [sys.executable, "script.py", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run_it


class StoppedError(Exception):
    """Stands for a kill: the objects of the start before are gone."""


def run(directory, stop_after=None, *, record=False, n=N, **options):
    bag = fresh()
    try:
        for epoch in epochs(directory, n, vars(bag), **options):
            if epoch == stop_after:
                raise StoppedError
            body(bag)
            if record:
                tabular.record("Count", bag.count)
    except StoppedError:
        pass
    return bag


def test_a_loop_goes_on_where_it_was(tmp_path):
    straight = run(tmp_path / "straight")
    run(tmp_path / "run", 3, snapshot_mode="all")
    found = run(tmp_path / "run", snapshot_mode="all")
    assert found.seen == straight.seen
    assert found.count == N
    assert found.same is found.walker
    told = (tmp_path / "run" / "debug.log").read_text()
    assert told.count("Restore from snapshot") == told.count("The resume is exact") == 1
    again = run(tmp_path / "run")
    assert again.seen == straight.seen, "a finished loop has its last state"


MODES = [
    {"snapshot_mode": "last"},
    {"snapshot_mode": "gap", "snapshot_gap": 10},
    {"snapshot_mode": "gap_overwrite", "snapshot_gap": 10},
    {"snapshot_mode": "last", "snapshot_gap": "auto"},
]


@pytest.mark.parametrize("options", MODES, ids=str)
@pytest.mark.parametrize("how", ["break", "raise"])
def test_the_last_epoch_before_one_that_was_broken_off_is_kept(tmp_path, options, how, monkeypatch):
    # a busy machine has time to hold it too: where there is none, another test tells
    monkeypatch.setattr("garage_like.snapshot.snapshotter.HELD_SECONDS", 10.0)
    straight, bag = run(tmp_path / "straight", n=20), fresh()
    with contextlib.suppress(StoppedError):
        for epoch in epochs(tmp_path / "run", 20, vars(bag), **options):
            body(bag)
            tabular.record("Count", bag.count)
            if epoch == 7 and how == "break":
                break
            if epoch == 7:
                raise StoppedError
    assert read_snapshot(tmp_path / "run").manifest.epoch == 6
    rows = (tmp_path / "run" / "progress.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["Count", *map(str, range(1, 8))]
    assert run(tmp_path / "run", n=20, **options).seen == straight.seen


def test_a_row_that_was_let_go_by_is_there_once_however_often_an_epoch_breaks(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("garage_like.snapshot.snapshotter.HELD_SECONDS", 10.0)
    for _ in range(3):
        run(tmp_path, 7, record=True, n=20, snapshot_gap=5, log_interval=4)
        rows = (tmp_path / "progress.csv").read_text().splitlines()
        assert [row.split(",")[0] for row in rows] == ["Count", "1", "5", "7"]
    assert read_snapshot(tmp_path).manifest.epoch == 6


class LockedCartPole(gym.Env):
    """Cannot be pickled, and nobody knows how it is made."""

    def __init__(self):
        self.env, self.lock = gym.make("CartPole-v1"), threading.Lock()
        self.observation_space, self.action_space = (
            self.env.observation_space,
            gym.spaces.Discrete(2),
        )

    def reset(self, *, seed=None, options=None):
        return self.env.reset(seed=seed)

    def step(self, action):
        return self.env.step(action)


def test_environments_of_workers_that_cannot_be_saved_begin_anew_and_are_labelled(tmp_path):
    for n in (2, 3):
        envs = gym.vector.AsyncVectorEnv([LockedCartPole] * 2, context="fork")
        envs.reset(seed=1)
        bag = types.SimpleNamespace(envs=envs)
        for _ in epochs(tmp_path, n, vars(bag), try_restore=False):
            bag.envs.step(np.array([0, 1]))
        envs.close()
        del bag, envs
    manifest = read_snapshot(tmp_path).manifest
    assert not manifest.exact
    assert manifest.env_state["mode"] == "restart"
    assert "cannot pickle '_thread.lock' object" in manifest.reasons[0]


def test_rows_are_logged_where_the_body_records(tmp_path):
    run(tmp_path / "a", 3, record=True, snapshot_mode="all")
    run(tmp_path / "a", record=True, snapshot_mode="all")
    rows = (tmp_path / "a" / "progress.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["Count", *map(str, range(1, N + 1))]
    run(tmp_path / "b")
    assert not (tmp_path / "b" / "progress.csv").exists()


def test_arrays_bear_the_names_of_the_script(tmp_path):
    run(tmp_path)
    assert read_snapshot(tmp_path).tensors("walker")["place"].shape == (2,)


def test_what_cannot_be_saved_is_named_before_the_first_epoch(tmp_path):
    bag = fresh()
    bag.stream = (i for i in range(3))
    with pytest.raises(SnapshotSaveError, match=r"'stream' \(generator\).*skip=\['stream'\]"):
        next(iter(epochs(tmp_path, N, vars(bag))))
    assert bag.count == 0


def test_what_is_skipped_is_listed_and_left_alone(tmp_path):
    for stop in (3, None):
        bag = fresh()
        bag.stream = mine = (i for i in range(3))
        for epoch in epochs(tmp_path, N, vars(bag), skip=["stream"], snapshot_mode="all"):
            if epoch == stop:
                break
            body(bag)
        assert bag.stream is mine
    assert read_snapshot(tmp_path).manifest.skipped == ["stream"]


def test_code_is_no_state(tmp_path):
    bag = fresh()
    bag.np, bag.cls, bag.function, bag.abs = np, Walker, body, abs
    for _ in epochs(tmp_path, 2, vars(bag)):
        body(bag)
    classes = read_snapshot(tmp_path).manifest.classes
    assert set(classes) == {"algo", "walker", "same", "trainer"}


def run_in_a_function(directory, stop_before=99):
    random.seed(2)
    np.random.seed(3)
    walker, seen, count = Walker(), [], 0
    same = walker

    def closure():
        return count

    skip = ["stop_before"]
    for number in epochs(directory, range(1, N + 1), locals(), skip=skip, max_stall=1.0):
        if number == stop_before:
            break
        late = walker
        late.move()
        count += number
        seen.append(same.place.sum())
    return count, seen, closure(), late is walker


def test_a_loop_in_a_function_goes_on_in_its_local_variables(tmp_path):
    straight = run_in_a_function(tmp_path / "straight")
    assert straight[0] == straight[2] == sum(range(1, N + 1))
    for stop in (3, 5, 99):  # numbers of epochs that are broken off
        again = run_in_a_function(tmp_path / "again", stop)
    assert again == straight


def test_arguments_are_checked(tmp_path):
    with pytest.raises(TypeError, match="namespace"):
        epochs(tmp_path, N, [1])
    with pytest.raises(TypeError, match="snapshot_mod"):
        epochs(tmp_path, N, {}, snapshot_mod="all")
    with pytest.raises(ValueError, match="writer"):
        epochs(tmp_path, N, {}, skip=["writer"])
    with pytest.raises(TypeError, match="where"):
        epochs(3, N, {})
    with pytest.raises(ValueError, match="n must"):
        epochs(tmp_path, -1, {})


def test_a_run_of_the_trainer_is_not_taken_for_a_loop(tmp_path):
    from garage_like import Trainer
    from garage_like.interfaces import RLAlgorithm
    from garage_like.snapshot import SnapshotConfig

    class Algo(RLAlgorithm):
        def train_epoch(self, trainer):
            pass

    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path))
    trainer.setup(Algo(), None)
    trainer.train(1)
    with pytest.raises(SnapshotMismatchError, match="not saved by a loop"):
        next(iter(epochs(tmp_path, N, {})))


def test_a_trainer_outside_an_experiment_logs_to_its_directory(tmp_path):
    from garage_like import Trainer
    from garage_like.interfaces import RLAlgorithm
    from garage_like.snapshot import SnapshotConfig

    class Algo(RLAlgorithm):
        def train_epoch(self, trainer):
            tabular.record("Epoch", trainer.step_itr)
            trainer.step_itr += 1

    for n_epochs in (2, 4):
        trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, auto_resume=True))
        trainer.setup(Algo(), None)
        trainer.train(n_epochs)
    rows = (tmp_path / "progress.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["Epoch", "0", "1", "2", "3"]


def test_what_functions_of_the_script_change_is_restored_too_and_named(tmp_path, run_script):
    script = """
import sys, types
import numpy as np
from garage_like import epochs
drawn, bag = [], types.SimpleNamespace(total=0.0)
rng = np.random.default_rng(3)
def body():
    drawn.append(rng.normal())
    bag.total += drawn[-1] * len(drawn)
for epoch in epochs("run", 6, vars(bag), snapshot_mode="all"):
    if len(sys.argv) > 1 and epoch == 3:
        sys.exit()
    body()
print("TOTAL", bag.total, len(drawn))
"""
    straight = run_script(tmp_path / "straight", script)
    run_script(tmp_path / "killed", script, "dies")
    again = run_script(tmp_path / "killed", script)
    assert again.splitlines()[-1] == straight.splitlines()[-1]
    assert "Restored beside the objects: __main__.drawn, __main__.rng" in again


def test_a_function_that_state_holds_too_stays_one_with_the_script_s(tmp_path, run_script):
    script = """
import sys
from garage_like import epochs

def make_counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count

def add():
    global total
    total += 1
    return total

count, total, seen = make_counter(), 0, []
held = {"count": count, "calls": [lambda: count() + total, add]}
for epoch in epochs("run", 6, globals(), snapshot_mode="all"):
    if len(sys.argv) > 1 and epoch == 3:
        sys.exit()
    seen.append((count(), held["count"](), add(), *(call() for call in held["calls"])))
print("SEEN", seen, held["count"] is count, held["calls"][1] is add)
"""
    straight = run_script(tmp_path / "straight", script)
    run_script(tmp_path / "killed", script, "dies")
    again = run_script(tmp_path / "killed", script)
    assert again.splitlines()[-1] == straight.splitlines()[-1]
    assert "True True" in again
    assert "The resume is exact" in again


def test_variable_of_a_local_function_that_changes_is_named_in_the_label(tmp_path, run_script):
    script = """
from garage_like import epochs

def make_counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count

def main():
    seen, count = [], make_counter()
    def add(x):
        seen.append(x)
    for epoch in epochs("run", 3, locals()):
        add(count())

main()
"""
    told = run_script(tmp_path, script)
    assert "not be exact: make_counter.<locals>.count: its variable n changes" in told
    assert "add: its variable" not in told
    assert not read_snapshot(tmp_path / "run").manifest.exact
