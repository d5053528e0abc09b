"""Measure what saving every epoch costs in env steps per second.

Pairs of runs that differ in nothing but the snapshots, in turns; the median of the pairs counts.

sac: SAC on HalfCheetah with a full memory of 1,000,000 transitions, an epoch of 1,000 env steps.
tiny: PPO on CartPole with epochs of about 0.1 s, on a disk that takes 30 ms for each fsync.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from garage_like.batches import StepType
from garage_like.envs import GymEnv
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.torch.algos import PPO, SAC
from garage_like.torch.policies import CategoricalMLPPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.torch.value_functions import GaussianMLPValueFunction
from garage_like.trainer import Trainer

FSYNC_SECONDS = 0.03


class Timed:
    """Note when each epoch begins: an algorithm's mix-in."""

    def train_epoch(self, trainer):
        marks = (trainer.total_env_steps, time.perf_counter(), time.process_time())
        self.__dict__.setdefault("marks", []).append(marks)
        return super().train_epoch(trainer)

    def rates(self, skip):
        """Return env steps per second and per CPU second from epoch `skip` to the last one."""
        (steps, wall, cpu), last = self.marks[skip], self.marks[-1]
        return (last[0] - steps) / (last[1] - wall), (last[0] - steps) / (last[2] - cpu)


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
            "reward": rng.normal(size=1000),
            "next_observation": rng.normal(size=(1000, 17)),
            "step_type": np.full(1000, StepType.MID, np.uint8),
        }
        buffer._append(steps, np.array([1000]), False, buffer._table)
    policy = TanhGaussianMLPPolicy(env.spec, (256, 256))
    qfs = [ContinuousMLPQFunction(env.spec, (256, 256)) for _ in range(2)]
    algo = TimedSAC(env.spec, policy, *qfs, buffer, num_evaluation_episodes=0)
    return algo, env


def tiny():
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    return TimedPPO(env.spec, policy, value_function, LocalSampler(policy, env)), env


def train(build, mode, n_epochs, batch_size, skip, folder):
    """Train anew; return env steps per second and per CPU second, and snapshots passed over."""
    set_seed(1)
    algo, env = build()
    with tempfile.TemporaryDirectory(dir=folder) as run_dir:
        trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode=mode))
        trainer.setup(algo, env)
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train(n_epochs=n_epochs, batch_size=batch_size)
    return algo.rates(skip)


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


def measure(pairs, *args):
    """Train in pairs, without and with snapshots; return the loss of each pair in per cent."""
    losses = {"per_second": [], "per_cpu_second": []}
    for number in range(pairs):
        modes = ("none", "last") if number % 2 else ("last", "none")
        rates = {mode: train(args[0], mode, *args[1:]) for mode in modes}
        for index, kind in enumerate(losses):
            losses[kind].append(100.0 * (1.0 - rates["last"][index] / rates["none"][index]))
        rate = rates["none"][0]
        print(f"  pair {number + 1}: {rate:9.0f} env steps/s, loss", end="")
        print("".join(f"{values[-1]:8.2f} % {kind}" for kind, values in losses.items()), flush=True)
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", default=["sac", "tiny"], help="sac, tiny")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--rows", type=int, default=1_000_000, help="capacity of SAC's memory")
    parser.add_argument("--epochs", type=int, help="epochs of a run (sac: 6, tiny: 150)")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for work in options.works:
        print(f"\n{work}: {options.pairs} pairs")
        if work == "sac":
            args = (lambda: sac(options.rows), options.epochs or 6, 1000, 2, options.folder)
            found[work] = measure(options.pairs, *args)
        else:
            with slow_fsync(FSYNC_SECONDS):
                args = (tiny, options.epochs or 150, 512, 10, options.folder)
                found[work] = measure(options.pairs, *args)
        for kind, losses in found[work].items():
            low, high = min(losses), max(losses)
            median = statistics.median(losses)
            print(
                f"  median loss {median:.2f} % of env steps {kind} (from {low:.2f} to {high:.2f})"
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
