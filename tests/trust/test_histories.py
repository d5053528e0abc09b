"""Random histories of a run, against a model: whatever happens, no snapshot lies.

Trained, killed in the middle of a save, resumed, pruned, pinned, branched, damaged: each state that
can be loaded is, bit for bit, that of the run to which nothing ever happened.
"""

import contextlib
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from garage_like.data.table import Table
from garage_like.errors import SnapshotCorruptError, SnapshotError
from garage_like.interfaces import RLAlgorithm
from garage_like.runs.branching import branch_run
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.disk import pins, store
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.disk.store import SnapshotStore, problems_of
from garage_like.snapshot.graph.walk import leaves
from garage_like.trainer import Trainer

LONGEST = 40


class Crash(BaseException):
    """The process is killed."""


class Mortal(FileSystem):
    """Die at an operation, and do nothing any more from then on."""

    operations_left = None

    def live(self):
        if Mortal.operations_left is not None:
            Mortal.operations_left -= 1
            if Mortal.operations_left < 0:
                raise Crash


def _mortal(name):
    def operation(self, *arguments):
        self.live()
        return getattr(FileSystem, name)(self, *arguments)

    return operation


for _name in ("make_dir", "write_all", "sync_file", "sync_dir", "link", "rename", "remove_tree"):
    setattr(Mortal, _name, _mortal(_name))


class Memory:
    def __init__(self):
        self._table = Table(100 * LONGEST, {"x": ("float32", (2,))})


class Wander(RLAlgorithm):
    """Learn nothing, but depend on every random number before."""

    def __init__(self):
        self.policy = np.zeros(20)
        self.fixed = np.arange(30.0)
        self.replay_buffer = Memory()
        self._rng = np.random.default_rng(0)

    def train_epoch(self, trainer):
        epoch = trainer._stats.total_epoch + 1
        rows = self._rng.normal(size=(100, 2)).astype("float32")
        self.replay_buffer._table.write(100 * epoch, {"x": rows})
        self.policy += rows.sum() + np.random.normal()


def digest(algo):
    """Return what the state of an algorithm is, but for the name of its table."""
    return {key: value for key, value in leaves({"algo": algo}).items() if "identity" not in key}


def trainer_of(run_dir, **options):
    return Trainer(SnapshotConfig(snapshot_dir=run_dir, auto_resume=True, **options))


def straight_states():
    """Return the state after each epoch of a run to which nothing happens."""
    states = []

    def epoch(algo, trainer):
        train_epoch(algo, trainer)
        states.append(digest(algo))

    train_epoch = Wander.train_epoch
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Wander, "train_epoch", epoch)
        set_seed(5)
        trainer = Trainer()
        trainer.setup(Wander(), None)
        trainer.train(LONGEST)
    return states


STRAIGHT = []


class Histories(RuleBasedStateMachine):
    """What a run goes through; the model is which epochs are there, which are good and pinned."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.run_dir = self.folder / "run"
        self.store = SnapshotStore.of_run(self.run_dir)
        self.promised = -1
        self.pinned = set()
        self.branches = 0

    def teardown(self):
        Mortal.operations_left = None
        shutil.rmtree(self.folder)

    def good(self):
        return [e for e in self.store.epochs() if not problems_of(self.store.path(e))]

    def train_to(self, n_epochs, dies_after=None, **options):
        set_seed(5)
        # A damaged snapshot is set aside along with its pin.
        self.pinned = {epoch for epoch in self.pinned if epoch <= max(self.good(), default=-1)}
        Mortal.operations_left = dies_after
        trainer = trainer_of(self.run_dir, async_save=False, **options)
        trainer.setup(Wander(), None)
        with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            monkeypatch.setattr(store, "FileSystem", Mortal)
            try:
                trainer.train(n_epochs)
            finally:
                Mortal.operations_left = None
        return trainer

    def after_training(self):
        """Whatever was set aside or moved on a way back is no longer the run's."""
        self.pinned &= set(self.store.epochs())
        self.promised = max(self.good(), default=-1)

    # ---- what happens -----------------------------------------------------------------------

    @rule(
        epochs=st.integers(1, 3),
        mode=st.sampled_from(["last", "all", "gap_and_last"]),
        gap=st.integers(1, 3),
    )
    def train(self, epochs, mode, gap):
        good = self.good()
        if self.store.epochs() and not good:
            with pytest.raises(SnapshotCorruptError, match="no snapshot verifies"):
                self.train_to(3)
            return
        n_epochs = min(max(good, default=-1) + 1 + epochs, LONGEST)
        trainer = self.train_to(n_epochs, snapshot_mode=mode, snapshot_gap=gap)
        assert digest(trainer._algo) == STRAIGHT[n_epochs - 1]
        self.after_training()
        assert self.promised == n_epochs - 1
        assert not [p for p in self.store.dir.iterdir() if p.name.startswith(".")]

    @precondition(lambda self: not self.store.epochs() or self.good())
    @rule(epochs=st.integers(1, 3), dies_after=st.integers(0, 60))
    def crash(self, epochs, dies_after):
        promised = max(self.good(), default=-1)
        n_epochs = min(promised + 1 + epochs, LONGEST)
        with contextlib.suppress(Crash, SnapshotError):
            self.train_to(n_epochs, dies_after)
        assert max(self.good(), default=-1) >= promised, "went back behind what was promised"
        self.after_training()

    @rule(mode=st.sampled_from(["last", "gap"]), keep=st.sampled_from([None, 1, 3]))
    def prune(self, mode, keep):
        good, newest = self.good(), self.store.epochs()[-1:]
        config = SnapshotConfig(snapshot_dir=self.run_dir, snapshot_mode=mode, max_to_keep=keep)
        Snapshotter(config).prune()
        left = self.store.epochs()
        assert set(good[-2:]) <= set(left)
        assert left[-1:] == newest

    @precondition(lambda self: self.store.epochs())
    @rule(data=st.data())
    def pin(self, data):
        epoch = data.draw(st.sampled_from(self.store.epochs()))
        pins.pin(self.store.path(epoch))
        self.pinned.add(epoch)

    @precondition(lambda self: self.pinned)
    @rule(data=st.data())
    def unpin(self, data):
        epoch = data.draw(st.sampled_from(sorted(self.pinned)))
        pins.unpin(self.store.path(epoch))
        self.pinned.discard(epoch)

    @precondition(lambda self: len(self.good()) > 1)
    @rule(data=st.data(), place=st.integers(0, 1 << 30), bit=st.integers(0, 7))
    def corrupt(self, data, place, bit):
        path = self.store.path(data.draw(st.sampled_from(self.store.epochs())))
        names = sorted(p for p in path.rglob("*") if p.is_file() and p.stat().st_size)
        file = data.draw(st.sampled_from(names))
        with open(file, "r+b") as opened:
            opened.seek(place % file.stat().st_size)
            byte = opened.read(1)[0]
            opened.seek(-1, 1)
            opened.write(bytes([byte ^ (1 << bit)]))
        newest = self.store.epochs()[-2:]
        assert sum(self.was_good & {e} == {e} and e not in self.good() for e in newest) <= 1
        self.promised = max(self.good(), default=-1)

    @precondition(lambda self: self.good())
    @rule(data=st.data())
    def branch_off(self, data):
        epoch = data.draw(st.sampled_from(self.good()))
        target = self.folder / f"branch_{self.branches}"
        self.branches += 1
        made = branch_run(self.run_dir, epoch, target)
        assert digest(Snapshotter().load(made)["algo"]) == STRAIGHT[epoch]
        assert read_snapshot(target).manifest.parent["epoch"] == epoch

    # ---- what holds -------------------------------------------------------------------------

    @invariant()
    def newest_good_snapshot_is_loaded_and_is_the_straight_runs(self):
        self.was_good = set(self.good())
        if not self.was_good:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = Snapshotter().load(self.run_dir)
        epoch = graph["stats"].total_epoch
        assert epoch == max(self.was_good) == self.promised
        assert digest(graph["algo"]) == STRAIGHT[epoch]

    @invariant()
    def pinned_snapshots_are_there(self):
        assert self.pinned <= set(self.store.epochs())

    @invariant()
    def two_newest_share_no_file(self):
        inodes = [
            {p.stat().st_ino for p in self.store.path(epoch).rglob("*") if p.is_file()}
            for epoch in self.store.epochs()[-2:]
        ]
        assert len(inodes) < 2 or not inodes[0] & inodes[1]


@pytest.mark.parametrize(
    ("examples", "steps"), [(6, 15), pytest.param(60, 30, marks=pytest.mark.slow)]
)
def test_whatever_happens_no_snapshot_lies(examples, steps, figures):
    STRAIGHT[:] = STRAIGHT or straight_states()
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    figures["random histories of up to 30 events"] += examples
