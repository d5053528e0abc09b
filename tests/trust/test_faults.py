"""Whatever system call of a save fails, training goes on, and so does saving once it can."""

import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from faulty_system import ERRORS, SHORT, FaultySystem

from garage_like.data.table import Table
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.disk import filesystem
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.loading import load_snapshot
from garage_like.trainer import Trainer

ROOT = Path(__file__).parents[2]
N_EPOCHS = 6
FAULTY_EPOCH = 3


class Memory:
    def __init__(self):
        self._table = Table(4096, {"x": ("float32", (8,))})


class Gathers(RLAlgorithm):
    """Fill a memory; parts of it change, others do not."""

    def __init__(self, system):
        self.policy = np.zeros(50)
        self.fixed = np.arange(30.0)
        self.replay_buffer = Memory()
        self._rng = np.random.default_rng(0)
        self._set(system)

    def _set(self, system):
        Gathers.system, Gathers.seen = system, []

    def train_epoch(self, trainer):
        epoch = trainer._stats.total_epoch + 1
        rows = self._rng.normal(size=(500, 8)).astype("float32")
        self.replay_buffer._table.write(500 * epoch, {"x": rows})
        self.policy += rows.mean()
        Gathers.system.at(epoch, trainer)
        tabular.record("Norm", float(self.policy[0]))


class System(FaultySystem):
    """Fail in one epoch's save only; look at what is there at the start of each epoch."""

    def __init__(self, fails=range(0), error="EIO"):
        super().__init__(range(0), error)
        self.wanted = fails
        self.calls = 0
        self.failures = 0

    def at(self, epoch, trainer):
        self.failures += int(trainer._last_row.get("Snapshot/Failures", 0))
        if epoch == FAULTY_EPOCH:
            start = len(self.done)
            self.fails = range(start + self.wanted.start, start + self.wanted.stop)
            self.started = start
        elif epoch == FAULTY_EPOCH + 1:
            self.calls = len(self.done) - self.started
            self.fails = range(0)
            self.loads = load_snapshot(trainer.run_dir).manifest.epoch


def train(run_dir, system, monkeypatch, **options):
    monkeypatch.setattr(filesystem, "os", system)
    monkeypatch.setattr(filesystem, "shutil", system)
    options = {"async_save": False, "snapshot_mode": "last", **options}
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, **options))
    algo = Gathers(system)
    trainer.setup(algo, None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.train(N_EPOCHS)
    return leaves({"algo": algo}), [str(w.message) for w in caught]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        system = System()
        state, said = train(tmp_path_factory.mktemp("straight") / "run", system, monkeypatch)
    assert said == []
    return state, system


def check(run_dir, system, state, said, straight):
    """Hold one run with a fault to the promises; return whether a save failed."""
    case = f"{system.error} at {system.wanted}: {system.failed}"
    assert state == straight, f"other training: {case}"
    assert system.loads in (FAULTY_EPOCH - 1, FAULTY_EPOCH), case
    names = sorted(path.name for path in (run_dir / "snapshots").iterdir())
    swept = [name for name in names if name.startswith("epoch_")]
    assert swept[-1] == f"epoch_{N_EPOCHS - 1:06d}", f"the next save commits: {case}"
    inodes = set()
    for snapshot in list_snapshots(run_dir):
        assert read_snapshot(snapshot).problems() == [], case
        inodes |= {path.stat().st_ino for path in snapshot.rglob("*")}
    assert not inodes & system.lost_inodes(), f"used what was not synced: {case}"
    failed = any("could not be saved" in message for message in said)
    assert system.failures == failed, f"counted: {case}"
    undone = system.failed[1:] != ["rename"]  # the disk failed to take the new name back too
    assert failed == (system.loads < FAULTY_EPOCH or not undone), case
    if system.failed and not failed:
        harmless = {"link", "rmtree"} if system.error != SHORT else {"write"}
        pruning = any("could not be removed" in message for message in said)
        assert pruning or set(system.failed) <= harmless, case
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(filesystem, "os", os)
        monkeypatch.setattr(filesystem, "shutil", shutil)
        again = Trainer(SnapshotConfig(snapshot_dir=run_dir))
        again.restore(run_dir)
        again.resume(n_epochs=N_EPOCHS + 1)
    left = [p.name for p in (run_dir / "snapshots").iterdir() if p.name.startswith(".")]
    assert left == [], f"temporary files survive the next start: {case}"
    return failed


def sweep(folder, straight, error, every, monkeypatch, fails=lambda n: range(n, n + 1)):
    expected, whole = straight
    assert whole.calls > 25
    failures = 0
    for number in range(0, whole.calls, every):
        system = System(fails(number), error)
        run_dir = folder / f"run_{number}"
        state, said = train(run_dir, system, monkeypatch)
        failures += check(run_dir, system, state, said, expected)
        system.let_go()
        shutil.rmtree(run_dir)
    return len(range(0, whole.calls, every)), failures


@pytest.mark.parametrize(
    ("error", "every"),
    [
        ("ENOSPC", 5),
        *(pytest.param(error, 1, marks=pytest.mark.slow) for error in (*ERRORS, SHORT)),
    ],
)
def test_any_call_that_fails_costs_one_snapshot_at_most(
    error, every, folder, straight, monkeypatch, figures
):
    tried, failures = sweep(folder, straight, error, every, monkeypatch)
    assert (failures == 0) == (error == SHORT)
    figures["faults injected into a save, one call each"] += tried


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
def test_disk_that_stays_broken_until_the_next_epoch_costs_one_snapshot_at_most(
    error, folder, straight, monkeypatch, figures
):
    def rest(number):
        return range(number, 1 << 30)

    tried, failures = sweep(folder, straight, error, 2, monkeypatch, rest)
    assert failures > 0
    figures["faults injected into a save, all calls from one on"] += tried
