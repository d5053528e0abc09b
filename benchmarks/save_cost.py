"""Measure what one save costs training: while it stands still, and while the save is written.

Whole runs with and without snapshots differ by less than a shared machine's speed does from one
minute to the next, so `saving_overhead.py` needs hours to tell 0.3 % from 1 %. Here training goes
at full speed before a save, while it is written, and after: what was done meanwhile falls short of
what is done in the same time in quiet. Divided by the time of an epoch it is the share of env steps
that saving every epoch costs.

sac: SAC on HalfCheetah with a full memory of 1,000,000 transitions, an epoch of 1,000 env steps.
ppo: PPO on CartPole, an epoch of 2,048 env steps.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from saving_overhead import sac, slow_fsync, tiny

from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig, Snapshotter
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.rng import get_global_rng
from garage_like.trainer.state import Stats, TrainArgs

QUIET_SECONDS = 0.25


class SACWork:
    """Train SAC, one update for each env step, as an epoch does."""

    epoch_steps = 1000

    def __init__(self, rows):
        self.algo, self.env = sac(rows)
        sampler = LocalSampler(
            self.algo.policy, self.env, worker_class=FragmentWorker, worker_args={"n_envs": 1}
        )
        self.ten, self.epoch = (
            sampler.obtain_samples(0, steps, None) for steps in (10, self.epoch_steps)
        )

    def do(self):
        """Do what ten env steps make due, but for the steps; return 10."""
        self.algo.train_once(0, self.ten)
        return 10

    def end_epoch(self):
        self.algo.replay_buffer.add_episode_batch(self.epoch)


class PPOWork:
    """Train PPO: collect and update."""

    epoch_steps = 2048

    def __init__(self, rows):
        self.algo, self.env = tiny()

    def do(self):
        """Collect and learn from 128 env steps; return how many they were."""
        episodes = self.algo._sampler.obtain_samples(0, 128, self.algo.policy)
        self.algo._train_once(0, episodes)
        return len(episodes.rewards)

    def end_epoch(self):
        pass


def train_until(work, is_over):
    """Train; return env steps and seconds."""
    began, steps = time.perf_counter(), 0
    while not is_over(time.perf_counter() - began):
        steps += work.do()
    return steps, time.perf_counter() - began


def measure(work, saves, folder):
    """Return, for each save, seconds: stood still, written, lost meanwhile; of a quiet epoch."""
    graph = {
        "algo": work.algo,
        "env": work.env,
        "stats": Stats(),
        "train_args": TrainArgs(10, work.epoch_steps, False, False, False),
        "rng": get_global_rng(),
    }
    found = {"stood_still": [], "written_for": [], "lost_meanwhile": [], "epoch": []}
    with tempfile.TemporaryDirectory(dir=folder) as run_dir:
        snapshotter = Snapshotter(SnapshotConfig(snapshot_dir=run_dir))
        snapshotter.open()
        for epoch in range(saves + 3):
            work.end_epoch()
            work.do()
            before = train_until(work, lambda spent: spent > QUIET_SECONDS)
            began = time.perf_counter()
            snapshotter.save(graph, Manifest(epoch=epoch))
            stood_still = time.perf_counter() - began
            during = train_until(work, lambda spent: snapshotter.report().committed)
            after = train_until(work, lambda spent: spent > QUIET_SECONDS)
            if epoch < 3:
                continue  # the first ones load modules and find no file to link to
            per_step = (before[1] + after[1]) / (before[0] + after[0])
            found["stood_still"].append(stood_still)
            found["written_for"].append(during[1])
            found["lost_meanwhile"].append(during[1] - during[0] * per_step)
            found["epoch"].append(work.epoch_steps * per_step)
        snapshotter.close()
    return found


def summary(found):
    """Return medians in ms and per cent, with the standard error of what was lost."""
    ms = {name: 1e3 * statistics.median(values) for name, values in found.items()}
    lost = [1e3 * value for value in found["lost_meanwhile"]]
    ms["standard_error"] = statistics.stdev(lost) / len(lost) ** 0.5
    ms["share"] = 100.0 * (ms["stood_still"] + ms["lost_meanwhile"]) / ms["epoch"]
    return ms


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", default=["sac", "ppo"], help="sac, ppo")
    parser.add_argument("--saves", type=int, default=40)
    parser.add_argument("--rows", type=int, default=1_000_000, help="capacity of SAC's memory")
    parser.add_argument("--slow-fsync", type=float, default=0.0, help="seconds each takes longer")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    print("         stands still   written for   lost meanwhile        an epoch   cost of a save")
    for name in options.works:
        set_seed(1)
        work = {"sac": SACWork, "ppo": PPOWork}[name](options.rows)
        with slow_fsync(options.slow_fsync):
            found = measure(work, options.saves, options.folder)
        ms = results[name] = summary(found)
        print(
            f"{name:6s} {ms['stood_still']:11.2f} ms {ms['written_for']:10.1f} ms"
            f" {ms['lost_meanwhile']:6.2f} ± {ms['standard_error']:.2f} ms"
            f" {ms['epoch']:12.0f} ms {ms['share']:10.2f} % of it",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
