"""Measure what saving every epoch costs in env steps per second.

One run, in which blocks of epochs with snapshots and blocks without take turns; each with is held
against the two without on either side of it, since a shared machine's speed changes by the minute.
The median of these pairs counts.

sac: SAC on HalfCheetah with a full memory of 1,000,000 transitions; a block is an epoch of 1,000
env steps.
tiny: PPO on CartPole with epochs of about 0.1 s, on a disk that takes 30 ms for each fsync; a block
is 20 of them.
"""

import argparse
import contextlib
import functools
import io
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.pace import Pace
from garage_like.torch.algos import PPO, SAC
from garage_like.torch.policies import CategoricalMLPPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.torch.value_functions import GaussianMLPValueFunction
from garage_like.trainer import Trainer

FSYNC_SECONDS = 0.03
WARM_PAIRS = 1


class Timed:
    """Note when each epoch has been trained: an algorithm's mix-in."""

    def train_epoch(self, trainer):
        trained = super().train_epoch(trainer)
        marks = (trainer.total_env_steps, time.perf_counter(), time.process_time())
        self.__dict__.setdefault("marks", []).append(marks)
        return trained


class TimedSAC(Timed, SAC):
    pass


class TimedPPO(Timed, PPO):
    pass


def sac(rows):
    env = GymEnv("HalfCheetah-v5")
    buffer = PathBuffer(rows, env.spec)
    rng = np.random.default_rng(1)
    for _ in range(0, rows, 1000):
        steps = {
            "observation": rng.normal(size=(1000, 17)),
            "action": rng.uniform(-1, 1, (1000, 6)),
            "reward": rng.normal(size=(1000, 1)),
            "next_observation": rng.normal(size=(1000, 17)),
            "step_type": np.full((1000, 1), StepType.MID, np.uint8),
        }
        buffer.add_path(steps)
    policy = TanhGaussianMLPPolicy(env.spec, (256, 256))
    qfs = [ContinuousMLPQFunction(env.spec, (256, 256)) for _ in range(2)]
    algo = TimedSAC(env.spec, policy, *qfs, buffer, num_evaluation_episodes=0)
    return algo, env


def tiny():
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    return TimedPPO(env.spec, policy, value_function, LocalSampler(policy, env)), env


@contextlib.contextmanager
def slow_fsync(seconds):
    """Let each fsync take so much longer, as on a disk with moving parts."""
    fsync = os.fsync

    def slow(descriptor):
        time.sleep(seconds)
        fsync(descriptor)

    os.fsync = slow
    try:
        yield
    finally:
        os.fsync = fsync


class InTurns(Pace):
    """Let no epoch of every other block be saved, beginning with the first."""

    def __init__(self, epochs_per_block, *arguments, **options):
        super().__init__(*arguments, **options)
        self._epochs_per_block, self._num_asked = epochs_per_block, 0

    @property
    def is_too_soon(self):
        block, self._num_asked = self._num_asked // self._epochs_per_block, self._num_asked + 1
        return block % 2 == 0 or super().is_too_soon


def train(algo, env, pairs, epochs_per_block, batch_size, folder):
    """Train; return env steps, seconds and CPU seconds when each epoch had been trained."""
    pace = functools.partial(InTurns, epochs_per_block)
    with (
        tempfile.TemporaryDirectory(dir=folder) as run_dir,
        mock.patch("garage_like.snapshot.snapshotter.Pace", pace),
    ):
        trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="last"))
        trainer.setup(algo, env)
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train((2 * (pairs + WARM_PAIRS) + 1) * epochs_per_block + 1, batch_size)
    return algo.marks


def losses(marks, epochs_per_block, column):
    """Return the loss of each block with snapshots against its neighbours, in per cent.

    Args:
        marks: env steps, seconds and CPU seconds when each epoch had been trained: whether it is
            saved, and what writing it takes, counts for the time from there to the next.
        epochs_per_block: a fifth of them are left out, in which what the block before has left to
            be written is written.
        column: 1 for seconds, 2 for CPU seconds.
    """
    per_step = []
    for first in range(0, len(marks) - epochs_per_block, epochs_per_block):
        begin, end = marks[first + epochs_per_block // 5], marks[first + epochs_per_block]
        per_step.append((end[column] - begin[column]) / (end[0] - begin[0]))
    found = []
    for block in range(1 + 2 * WARM_PAIRS, len(per_step) - 1, 2):
        without = (per_step[block - 1] + per_step[block + 1]) / 2.0
        found.append(100.0 * (1.0 - without / per_step[block]))
    return found


def summary(values):
    return {
        "median": statistics.median(values),
        "standard_error": 1.25 * statistics.stdev(values) / len(values) ** 0.5,
        "pairs": values,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", default=["sac", "tiny"], help="sac, tiny")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20, help="in a block of tiny's")
    parser.add_argument("--rows", type=int, default=1_000_000, help="capacity of SAC's memory")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    if options.pairs < 2:
        parser.error(f"--pairs: expected at least 2, got {options.pairs}")
    torch.set_num_threads(1)
    found = {}
    for work in options.works:
        set_seed(1)
        algo, env = sac(options.rows) if work == "sac" else tiny()
        epochs_per_block, batch_size = (1, 1000) if work == "sac" else (options.epochs, 512)
        with contextlib.nullcontext() if work == "sac" else slow_fsync(FSYNC_SECONDS):
            marks = train(algo, env, options.pairs, epochs_per_block, batch_size, options.folder)
        found[work] = {
            kind: summary(losses(marks, epochs_per_block, column))
            for column, kind in enumerate(("per_second", "per_cpu_second"), 1)
        }
        rate = (marks[-1][0] - marks[0][0]) / (marks[-1][1] - marks[0][1])
        print(f"{work}: {rate:.0f} env steps/s; {options.pairs} pairs lose")
        for kind, loss in found[work].items():
            low, high = min(loss["pairs"]), max(loss["pairs"])
            print(
                f"  {loss['median']:6.2f} % of env steps {kind}: median, standard error"
                f" {loss['standard_error']:.2f}, from {low:.2f} to {high:.2f}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
