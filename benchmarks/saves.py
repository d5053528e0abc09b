"""Measure saves where there is much of one thing: environments, parameters, bytes, snapshots.

many: how long training stands still with 2,048 environments that are stepped in arrays, and with
    2,048 stepped one after the other.
small: the same with 2,000 parameters of eight numbers, without an optimizer and with Adam.
large: 500 MB made durable, against writing as many bytes and flushing them, in turns.
all: the 1,000th save in mode `all` against the 10th of another run, in turns.
age: what an epoch of PPO takes with its row and its snapshots, and memory, as a run grows older.
resume: processor time of the first epoch after a restore against the first of a fresh run.

Stops are the thread's own processor time, which other work on a machine changes least; the least of
some rounds is what a quiet machine would take.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from garage_like import Trainer
from garage_like.envs import GymEnv
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.rng import get_global_rng
from garage_like.torch.algos import PPO
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction


class Holder:
    """An algorithm that does nothing but hold state."""


def graph_of(algo, env=None):
    return {"algo": algo, "env": env, "stats": None, "train_args": None, "rng": get_global_rng()}


def stops(graph, rounds, change):
    """Return, for each save but the first three, the thread's milliseconds."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=folder))
        snapshotter.open()
        for epoch in range(rounds + 3):
            change()
            began = time.thread_time()
            snapshotter.save(graph, Manifest(epoch=epoch))
            found.append(1e3 * (time.thread_time() - began))
            snapshotter.wait()
        snapshotter.close()
    return found[3:]


def show(name, values, unit="ms"):
    print(f"{name:52} least {min(values):8.2f}  median {statistics.median(values):8.2f} {unit}")


def ppo(n_envs, worker_class=None):
    set_seed(1)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    sampler = LocalSampler(policy, env, n_envs=n_envs, worker_class=worker_class)
    return PPO(env.spec, policy, value_function, sampler), env


def many(options):
    for name, worker_class in (("in arrays", None), ("one after the other", FragmentWorker)):
        algo, env = ppo(2048, worker_class)

        def collect(algo=algo):
            algo._sampler.obtain_samples(0, 2048)

        show(f"2,048 environments, {name}", stops(graph_of(algo, env), options.rounds, collect))


def small(options):
    for name in ("alone", "and Adam"):
        algo = Holder()
        algo.parameters = torch.nn.ParameterList(torch.randn(8) for _ in range(2000))
        if name == "and Adam":
            algo.optimizer = torch.optim.Adam(algo.parameters, fused=True)

        def change(algo=algo):
            for parameter in algo.parameters:
                parameter.grad = torch.ones(8)
            if hasattr(algo, "optimizer"):
                algo.optimizer.step()
                algo.optimizer.zero_grad()
            else:
                with torch.no_grad():
                    for parameter in algo.parameters:
                        parameter.mul_(1.0001)
                        parameter.grad = None

        show(f"2,000 parameters, {name}", stops(graph_of(algo), options.rounds, change))


def now():
    return np.array((time.perf_counter(), time.process_time()))


def write_plainly(folder, epoch, array):
    """Write an array and flush it, then remove the one of two rounds before; time both.

    The two files of before stay, as two snapshots do: memory that was just given back is had again
    in a fraction of the time.

    Returns:
        Seconds and processor seconds until it is on the disk, and until the other is gone.
    """
    path = folder / f"plain_{epoch}"
    began = now()
    with open(path, "wb", buffering=0) as file:
        rest = memoryview(array).cast("B")
        while len(rest):
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    durable = now() - began
    (folder / f"plain_{epoch - 2}").unlink(missing_ok=True)
    return np.concatenate((durable, now() - began))


def large(options):
    algo = Holder()
    algo.array = np.random.default_rng(1).random(options.megabytes * 125_000)
    ratios, committed = [], []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=Path(folder) / "run"))
        snapshotter.open()
        commit = snapshotter.store.commit

        def noted(*arguments):
            path = commit(*arguments)
            committed.append(now())
            return path

        snapshotter.store.commit = noted
        for epoch in range(options.rounds + 1):
            algo.array[::512] += 1.0
            plain = write_plainly(Path(folder), epoch, algo.array) if epoch % 2 else None
            snapshotter.save(graph_of(algo), Manifest(epoch=epoch))
            began = now()
            snapshotter.wait()
            written = np.concatenate((committed[-1] - began, now() - began))
            if plain is None:
                plain = write_plainly(Path(folder), epoch, algo.array)
            ratios.append(written / plain)
        snapshotter.close()
    durable, whole = "durable to write + fsync", "and an old one removed, in both"
    for column, name in enumerate((f"{durable}, seconds", "processor", f"{whole}", "processor")):
        values = [ratio[column] for ratio in ratios[2:]]
        show(f"{options.megabytes} MB {name}", values, "times")


def in_mode_all(options):
    algo = Holder()
    algo.net = torch.nn.Linear(8, 8)
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as short,
        tempfile.TemporaryDirectory(dir=options.folder) as long,
    ):
        folders = (short, long)
        runs = [Snapshotter(SnapshotConfig(snapshot_dir=f, snapshot_mode="all")) for f in folders]

        def save(run, epoch):
            with torch.no_grad():
                algo.net.weight.mul_(1.001)
            began = time.process_time()
            run.save(graph_of(algo), Manifest(epoch=epoch))
            run.wait()
            return 1e3 * (time.process_time() - began)

        for epoch in range(950):
            save(runs[1], epoch)
        found = np.array(
            [[save(runs[0], epoch), save(runs[1], epoch + 950)] for epoch in range(50)]
        )
        for run in runs:
            run.close()
    show("mode all, saves 10 to 50, all threads", found[10:, 0])
    show("mode all, saves 960 to 1,000, in turns with them", found[10:, 1])
    show("mode all, the last to the first", found[10:, 1] / found[10:, 0], "times")


class Aging(PPO):
    """Notes what each epoch takes, from its beginning to the next one's."""

    began: ClassVar = []

    def train_epoch(self, trainer):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.began.append((time.process_time(), peak))
        return super().train_epoch(trainer)


def age(options):
    algo, env = ppo(8)
    algo.__class__ = Aging
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        trainer = Trainer(SnapshotConfig(snapshot_dir=folder))
        trainer.setup(algo, env)
        trainer.train(1000, 256)
    times, peaks = np.array(algo.began).T
    took = 1e3 * np.diff(times)
    show("epochs 50 to 150 of 1,000", took[50:150])
    show("epochs 899 to 999", took[-100:])
    print(f"memory at most by epoch 150 {peaks[150]:.0f} MB, by the last {peaks[-1]:.0f} MB")


class Timed(PPO):
    """Tells what its first epoch of a process takes."""

    def train_epoch(self, trainer):
        began = time.process_time()
        result = super().train_epoch(trainer)
        if not hasattr(type(self), "told"):
            type(self).told = True
            print(f"FIRST {1e3 * (time.process_time() - began):.2f}", flush=True)
        return result


def one_epoch(directory, resumes):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory))
    if resumes:
        trainer.restore(directory)
        trainer.resume(n_epochs=4)
        return
    algo, env = ppo(8)
    algo.__class__ = Timed
    trainer.setup(algo, env)
    trainer.train(2, 2048)


def resume(options):
    fresh, resumed = [], []
    for _ in range(max(3, options.rounds // 4)):
        with tempfile.TemporaryDirectory() as folder:
            for found, mode in ((fresh, "--fresh"), (resumed, "--resumed")):
                told = subprocess.run(
                    [sys.executable, __file__, mode, folder], capture_output=True, text=True
                )
                lines = [line for line in told.stdout.splitlines() if line.startswith("FIRST ")]
                if not lines:
                    raise RuntimeError(told.stderr)
                found.append(float(lines[0].split()[1]))
    show("first epoch of a fresh run", fresh)
    show("first epoch after a restore", resumed)
    print(f"after a restore to fresh: {min(resumed) / min(fresh):.2f} by the least")


PARTS = {
    "many": many,
    "small": small,
    "large": large,
    "all": in_mode_all,
    "age": age,
    "resume": resume,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--folder", help="where to write (default: a temporary one)")
    parser.add_argument("--fresh", help=argparse.SUPPRESS)
    parser.add_argument("--resumed", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.fresh or options.resumed:
        one_epoch(options.fresh or options.resumed, bool(options.resumed))
        return
    for name in options.parts:
        PARTS[name](options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
