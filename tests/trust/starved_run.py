"""A run to which one allocation is refused in the middle of a save.

starved_run.py FOLDER RESULTS EVERY   every so-many-th allocation of a save, in forked children
"""

import _testcapi
import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from killed_run import in_child

from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs, tabular
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.disk.layout import epochs_in
from garage_like.snapshot.loading import load_snapshot
from garage_like.trainer import Trainer

N_EPOCHS = 4
STARVED = 1


class Walk(RLAlgorithm):
    def __init__(self):
        self.place = np.zeros(20)

    def train_epoch(self, trainer):
        self.place += np.random.normal(size=20)
        tabular.record("Place", float(self.place[0]))


class Starved(Trainer):
    """Refuse one allocation, of Python's or of C code's, while an epoch is saved."""

    number, is_over = None, False

    def save(self, epoch):
        if epoch != STARVED or self.number is None:
            return super().save(epoch)
        _testcapi.set_nomemory(self.number, self.number + 1)
        try:
            super().save(epoch)
        finally:
            Starved.is_over = was_enough()
            _testcapi.remove_mem_hooks()


def was_enough():
    """Tell whether the save was through before its allocation was refused."""
    try:
        for _ in range(100):
            bytearray(10)
    except MemoryError:
        return True
    return False


def train(run_dir, number):
    Starved.number = number
    np.random.seed(1)
    logs = RunLogs(run_dir, existing=False, console=False)
    config = SnapshotConfig(
        snapshot_dir=run_dir, snapshot_mode="all", async_save=False, try_restore=False
    )
    trainer, algo = Starved(config), Walk()
    trainer.setup(algo, None)
    trainer.train(N_EPOCHS)
    logs.close()
    loaded = load_snapshot(run_dir).graph()["algo"].place.tolist() if number is not None else []
    return {
        "number": number,
        "place": algo.place.tolist(),
        "loaded": loaded,
        "epochs": epochs_in(run_dir / "snapshots"),
        "rows": len((run_dir / "progress.csv").read_text().splitlines()) - 1,
        "is_over": Starved.is_over,
    }


def sweep(folder, every):
    for name in ("warm", "whole"):
        (folder / name).mkdir()
        whole = train(folder / name, None)
    yield whole
    for number in range(0, 1_000_000, every):
        run_dir = folder / "run"
        run_dir.mkdir()
        found = in_child(lambda: train(run_dir, number))  # noqa: B023
        shutil.rmtree(run_dir)
        yield {"number": number, "ended": found} if isinstance(found, int) else found
        if isinstance(found, dict) and found["is_over"]:
            return


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    folder, results, every = sys.argv[1:]
    with open(results, "w") as file:
        for found in sweep(Path(folder), int(every)):
            print(json.dumps(found), file=file, flush=True)
