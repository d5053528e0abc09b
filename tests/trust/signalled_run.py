"""A run that is sent a signal in an epoch, in a save, in the prune or in a restore.

signalled_run.py FOLDER RESULTS   each signal in each, in forked children; a line of JSON for each
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from killed_run import Part, Wander, in_child

from garage_like.logging import RunLogs
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.disk import store
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.trainer import Trainer

SIGNALS = ("SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGXCPU")
PLACES = ("an epoch", "a save", "the prune", "a restore")
TWICE = "SIGINT twice"
N_EPOCHS = 8


class Sender:
    """Send a signal to this process, once, at a place."""

    signals, place = (), ""

    @classmethod
    def reach(cls, place):
        if place == cls.place:
            cls.place = ""
            for number in cls.signals:
                os.kill(os.getpid(), number)


class SendingPart(Part):
    def __getstate__(self):
        return dict(vars(self))

    def __setstate__(self, state):
        Sender.reach("a restore")
        vars(self).update(state)


class Sending(Wander):
    def __init__(self):
        super().__init__(replace=False)
        self.part = SendingPart()

    def train(self, trainer):
        for epoch in trainer.step_epochs():
            trainer.first_epoch = getattr(trainer, "first_epoch", epoch)
            self.step(trainer, epoch)
            if epoch == 1:
                Sender.reach("an epoch")


class Disk(FileSystem):
    def write_file(self, path, pieces):
        super().write_file(path, pieces)
        if "epoch_000001" in str(path):
            Sender.reach("a save")

    def remove_tree(self, path):
        Sender.reach("the prune")
        super().remove_tree(path)


def train(run_dir, async_save, sent="", place=""):
    """Train, or go on; return what came of it, or the status that the process ends with."""
    Sender.place = place
    Sender.signals = (
        [getattr(signal, sent.split()[0])] * (2 if sent == TWICE else 1) if sent else []
    )
    store.FileSystem = Disk
    set_seed(7)
    logs = RunLogs(run_dir, existing=run_dir.exists(), console=False)
    options = {"auto_resume": True, "async_save": async_save, "try_restore": False}
    mode = {"snapshot_mode": "gap_and_last", "snapshot_gap": 3}  # each epoch is saved, some stay
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, **mode, **options))
    algo = Sending()
    trainer.setup(algo, None)
    ended = 0
    try:
        trainer.train(N_EPOCHS)
    except SystemExit as error:
        ended = error.code
    except KeyboardInterrupt:
        ended = 130
    finally:
        logs.close()
    rows = (run_dir / "progress.csv").read_text().splitlines()[1:]
    return {
        "status": ended,
        "first_epoch": getattr(trainer, "first_epoch", None),
        "weights": algo.weights.tolist(),
        "rows": rows,
    }


def sweep(folder):
    train(folder / "warm", True)
    yield in_child(lambda: train(folder / "whole", True))
    for number, (sent, place, async_save) in enumerate(
        (sent, place, async_save)
        for sent in (*SIGNALS, TWICE)
        for place in PLACES
        for async_save in (True, False)
    ):
        run_dir, arguments = folder / f"run_{number}", (async_save, sent, place)
        if place == "a restore":
            in_child(lambda: train(run_dir, async_save, "SIGTERM", "an epoch"))  # noqa: B023
        signalled = in_child(lambda: train(run_dir, *arguments))  # noqa: B023
        resumed = in_child(lambda: train(run_dir, async_save))  # noqa: B023
        yield {"sent": sent, "place": place, "signalled": signalled, "resumed": resumed}


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup would have it ignored
    folder, results = map(Path, sys.argv[1:])
    assert "torch" not in sys.modules, "forked children of torch hang"
    with results.open("w") as file:
        try:
            for found in sweep(folder):
                print(json.dumps(found), file=file, flush=True)
        except BaseException:
            traceback.print_exc()
            raise
