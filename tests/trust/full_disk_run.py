"""A run whose disk is full for a while: full_disk_run.py DISK, where a small disk may be mounted.

Prints `cannot mount` and ends if this user may not.
"""

import csv
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from garage_like import wrap_experiment
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.snapshot import list_snapshots, read_snapshot
from garage_like.trainer import Trainer

N_EPOCHS, FULL_FROM, FULL_TO = 9, 2, 5
disk = Path(sys.argv[1])
ballast = disk / "ballast"


class Grows(RLAlgorithm):
    def __init__(self):
        self.policy = np.zeros(5000)

    def train_epoch(self, trainer):
        self.policy += 1
        epoch = trainer._stats.total_epoch + 1
        trainer._session.wait()
        if epoch == FULL_FROM:
            fill()
        if epoch == FULL_TO:
            ballast.unlink()
        tabular.record("Epoch", epoch)


def fill():
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


@wrap_experiment(log_dir=disk / "run", archive_launch_repo=False, snapshot_mode="all")
def experiment(ctxt=None):
    trainer = Trainer(ctxt)
    algo = Grows()
    trainer.setup(algo, None)
    trainer.train(N_EPOCHS)
    return algo


mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
if mounted.returncode:
    print("cannot mount")
    sys.exit()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    algo = experiment()
said = [str(warning.message) for warning in caught]
assert (algo.policy == N_EPOCHS).all(), "training goes on"
assert any("could not be saved" in line and "No space left" in line for line in said), said
assert any("its lines wait" in line for line in said), said
snapshots = list_snapshots(disk / "run")
assert [read_snapshot(path).problems() for path in snapshots] == [[]] * len(snapshots)
assert read_snapshot(disk / "run").epoch == N_EPOCHS - 1, "saved again once there is room"
with open(disk / "run/progress.csv", newline="") as file:
    rows = list(csv.DictReader(file))
assert [int(row["Epoch"]) for row in rows] == list(range(N_EPOCHS)), "no row is lost"
assert sum(int(row["Snapshot/Failures"] or 0) for row in rows) >= 2
assert "could not be saved, training goes on" in (disk / "run/debug.log").read_text()
assert not [path for path in (disk / "run/snapshots").iterdir() if path.name.startswith(".")]
print("well")
