"""A run that is killed at a point of its choice inside a save, and continued.

    killed_run.py train RUN_DIR OPTIONS KILL_AT RESULT   one process, as a user starts it
    killed_run.py sweep FOLDER OPTIONS RESULTS           every point of a run, in forked children

Points are those before each operation on the disk, in the middle of each write, and before each
file that is removed. OPTIONS is JSON: snapshot_mode, async_save, and `replace`, which saves each
epoch twice. What a sweep found is written as JSON, a line for each point.
"""

import contextlib
import hashlib
import json
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np

from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs, tabular
from garage_like.logging.light_imports import LoggerWarning
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.disk import store
from garage_like.snapshot.disk.filesystem import FileSystem
from garage_like.snapshot.graph.walk import leaves
from garage_like.trainer import Trainer

N_EPOCHS = 3


class Killing(FileSystem):
    """Kill this process at a point; tell a file of every snapshot that is committed."""

    points = 0
    kill_at = None
    committed_file = None

    def point(self):
        Killing.points += 1
        if Killing.points == Killing.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def make_dir(self, path):
        self.point()
        super().make_dir(path)

    def write_file(self, path, pieces):
        self.point()
        super().write_file(path, pieces)

    def write_all(self, descriptor, piece):
        self.point()
        middle = len(piece) // 2
        super().write_all(descriptor, piece[:middle])
        self.point()
        super().write_all(descriptor, piece[middle:])

    def sync_file(self, descriptor):
        self.point()
        super().sync_file(descriptor)

    def sync_dir(self, path):
        self.point()
        super().sync_dir(path)
        if path.name == "snapshots":
            found = [p.name for p in path.iterdir() if p.name.startswith("epoch_")]
            Killing.committed_file.write_text(max(found, default=""))
        self.point()

    def link(self, source, target):
        self.point()
        super().link(source, target)

    def rename(self, source, target):
        self.point()
        super().rename(source, target)

    def remove_tree(self, path):
        for folder, _, files in os.walk(path, topdown=False):
            for name in files:
                self.point()
                os.unlink(Path(folder) / name)
            self.point()
            os.rmdir(folder)


class Part:
    """Arrays that never change: their file is linked from snapshot to snapshot."""

    def __init__(self):
        self.fixed = np.arange(300.0)


class Wander(RLAlgorithm):
    """Learn nothing, but depend on every random number and every step before."""

    def __init__(self, replace):
        self.part = Part()
        self.weights = np.zeros(50)
        self.rng = np.random.default_rng(1)
        self.replace = replace

    def train(self, trainer):
        for epoch in trainer.step_epochs():
            if self.replace and epoch:
                trainer.save(epoch - 1)
            trainer.first_epoch = getattr(trainer, "first_epoch", epoch)
            self.step(trainer, epoch)

    def step(self, trainer, epoch):
        self.weights = 0.9 * self.weights + self.rng.normal(size=50) + np.random.normal()
        self.weights[:5] += self.part.fixed[epoch]
        trainer.total_env_steps += 10
        trainer.step_itr += 1
        tabular.record("Norm", float(np.linalg.norm(self.weights)))


def train(run_dir, options, kill_at=None, logs=False):
    """Train, or continue; return the first epoch that was done and a digest of the final state."""
    Killing.kill_at, Killing.points = kill_at, 0
    Killing.committed_file = run_dir.with_name(run_dir.name + ".committed")
    store.FileSystem = Killing
    options = dict(options)
    replace = options.pop("replace", False)
    set_seed(7)
    existing = run_dir.exists()
    run_logs = RunLogs(run_dir, existing=existing, console=False) if logs else None
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, auto_resume=True, **options))
    algo = Wander(replace)
    trainer.setup(algo, None)
    with contextlib.closing(run_logs) if logs else contextlib.nullcontext():
        trainer.train(N_EPOCHS)
    state = {"algo": algo, "random": np.random.get_state(), "steps": trainer.total_env_steps}
    digest = hashlib.sha256(repr(sorted(leaves(state).items())).encode()).hexdigest()
    return {"first_epoch": getattr(trainer, "first_epoch", N_EPOCHS), "state": digest}


def in_child(work):
    """Run in a forked child; return what it returned, or the signal that killed it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.write(writer, json.dumps(work()).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as file:
        result = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(result) if status == 0 else status


def sweep(folder, options):
    """Kill at every point of a run; yield what came of it, that of the whole run first."""
    train(folder / "warm", options)  # in this process, so that no child has to import anything
    whole = in_child(lambda: {**train(folder / "whole", options), "points": Killing.points})
    yield whole
    for number in range(1, whole["points"] + 1):
        run_dir = folder / f"run_{number}"
        killed = in_child(lambda: train(run_dir, options, number))  # noqa: B023
        committed = run_dir.with_name(run_dir.name + ".committed")
        last = committed.read_text() if committed.exists() else ""
        resumed = in_child(lambda: train(run_dir, options))  # noqa: B023
        left = sorted(p.name for p in (run_dir / "snapshots").iterdir())
        yield {"point": number, "killed": killed, "committed": last, "left": left, **resumed}


if __name__ == "__main__":
    warnings.simplefilter("ignore", LoggerWarning)
    _, command, folder, options, *rest = sys.argv
    if command == "sweep":
        assert "torch" not in sys.modules, "forked children of torch hang"
        with open(rest[0], "w") as results:
            for found in sweep(Path(folder), json.loads(options)):
                print(json.dumps(found), file=results, flush=True)
    else:
        kill_at, result = rest
        found = train(Path(folder), json.loads(options), int(kill_at) or None, logs=True)
        Path(result).write_text(json.dumps({**found, "points": Killing.points}))
