"""A run to which one allocation is refused in the middle of a save.

starved_run.py FOLDER RESULTS EVERY FIRST   every so-many-th allocation of a save; 1 tries each

A forked child tries many, until it is through or the interpreter dies of one: a fork costs as much
as a run.
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
MOST = 300


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


def sweep(folder, results, every, first):
    """Write a line for each allocation that is refused, and what came of it."""
    for name in ("warm", "whole"):
        whole = train(made(folder / name), None)
    results.write_text(json.dumps(whole) + "\n")
    number = first
    while number < 1_000_000:
        ended = in_child(lambda: go_through(folder, results, number, every))  # noqa: B023
        last = json.loads(results.read_text().splitlines()[-1])
        if last.get("is_over"):
            return
        number = first if last["number"] is None else last["number"] + every
        if isinstance(ended, int):
            note(results, {"number": number, "ended": ended})
            number += every


def go_through(folder, results, first, every):
    for number in range(first, first + MOST * every, every):
        run_dir = made(folder / "run")
        found = train(run_dir, number)
        shutil.rmtree(run_dir)
        note(results, found)
        if found["is_over"]:
            break
    return "through"


def made(directory):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


def note(results, found):
    with results.open("a") as file:
        print(json.dumps(found), file=file)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    folder, results, every, first = sys.argv[1:]
    sweep(Path(folder), Path(results), int(every), int(first))
