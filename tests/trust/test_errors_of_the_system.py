"""Each error of the system × each call that logs and store make in an epoch: training goes on."""

import csv
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from failing_calls import ERRNOS, FailingCalls

from garage_like.data.table import Table
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs, tabular
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.loading import load_snapshot
from garage_like.trainer import Trainer

N_EPOCHS = 4
IN_EPOCH = 1
pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")


class Gathers(RLAlgorithm):
    """Fill a memory, draw random numbers, log a row."""

    calls = None

    def __init__(self):
        self.policy = np.zeros(8)
        self.table = Table(512, {"x": ("float32", (4,))})

    def train_epoch(self, trainer):
        epoch = trainer._stats.total_epoch + 1
        if epoch == IN_EPOCH + 1:
            Gathers.calls.end()
        rows = np.random.normal(size=(50, 4)).astype("float32")
        self.table.write(50 * epoch, {"x": rows})
        self.policy += rows.mean()
        tabular.record("Norm", float(self.policy[0]))
        if epoch == IN_EPOCH:
            Gathers.calls.begin()


def train(run_dir, number, error):
    """Train, one call failing at the end of an epoch; return calls, warnings and the objects."""
    calls = Gathers.calls = FailingCalls(run_dir, number, error)
    np.random.seed(3)
    algo = Gathers()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        logs = RunLogs(run_dir, existing=False, console=False)
        trainer = Trainer(
            SnapshotConfig(snapshot_dir=run_dir, async_save=False, try_restore=False, max_stall=1.0)
        )
        trainer.setup(algo, None)
        with calls.installed():
            trainer.train(N_EPOCHS)
        logs.close()
    return calls, [str(one.message) for one in caught], algo


def outcome(run_dir, said, algo, straight, case):
    """Hold a run to the promise; return what the call that failed has cost."""
    assert leaves({"algo": algo}) == straight, case
    with (run_dir / "progress.csv").open(newline="") as lines:
        norms = [row["Norm"] for row in csv.DictReader(lines)]
    assert len(norms) == len(set(norms)) == N_EPOCHS, case
    loaded = load_snapshot(run_dir)
    assert loaded.manifest.epoch == N_EPOCHS - 1, case
    assert leaves({"algo": loaded.graph()["algo"]}) == straight, case
    if any("could not be saved" in text for text in said):
        return "a snapshot"
    if any("lines wait" in text for text in said):
        return "a delay of lines"
    return "an old snapshot that stays" if said else "nothing"


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    calls, said, algo = train(folder, -1, "EIO")
    assert said == []
    assert calls.count > 40
    return calls.count, leaves({"algo": algo})


@pytest.mark.parametrize(
    "error", ["EROFS", *(pytest.param(e, marks=pytest.mark.slow) for e in ERRNOS if e != "EROFS")]
)
def test_no_error_of_any_call_ends_training(error, straight, folder, figures, documented):
    count, expected = straight
    costs = Counter()
    for number in range(count):
        run_dir = folder / f"run_{number}"
        run_dir.mkdir()
        calls, said, algo = train(run_dir, number, error)
        case = f"{error} in call {number}, {calls.failed}: {said}"
        assert calls.failed is not None
        costs[outcome(run_dir, said, algo, expected, case)] += 1
    tried, lost, _ = documented["calls"]
    assert tried == pytest.approx(count * len(ERRNOS), rel=0.15)
    assert lost == pytest.approx(costs["a snapshot"] * len(ERRNOS), rel=0.15)
    for cost, times in costs.items():
        figures[f"calls of logs and store that failed, at the cost of {cost}"] += times
