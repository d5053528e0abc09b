"""What the first epoch of a run costs more for its snapshot and for trying a restore of it.

    python benchmarks/first_epoch.py [ROUNDS] [--algorithms PPO SAC]

Prints processor seconds of a run of one epoch, the process of the trial included: without
snapshots, with them, and with the trial, the least of the rounds each; and what share of ten
minutes that is.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile

TEN_MINUTES = 600.0
WAYS = {
    "no snapshots": {"snapshot_mode": "none"},
    "snapshots": {"try_restore": False},
    "and the restore tried": {},
}


def train(algorithm: str, way: str) -> None:
    """Train one epoch in this process."""
    from garage_like import Trainer
    from garage_like.envs import GymEnv
    from garage_like.experiment.deterministic import set_seed
    from garage_like.replay_buffer import PathBuffer
    from garage_like.sampler import LocalSampler
    from garage_like.snapshot import SnapshotConfig
    from garage_like.torch.algos import PPO, SAC
    from garage_like.torch.policies import GaussianMLPPolicy, TanhGaussianMLPPolicy
    from garage_like.torch.q_functions import ContinuousMLPQFunction
    from garage_like.torch.value_functions import GaussianMLPValueFunction

    set_seed(1)
    env = GymEnv("Pendulum-v1")
    if algorithm == "PPO":
        policy = GaussianMLPPolicy(env.spec)
        values = GaussianMLPValueFunction(env.spec)
        algo = PPO(env.spec, policy, values, LocalSampler(policy, env))
    else:
        policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(256, 256))
        qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=(256, 256)) for _ in range(2)]
        algo = SAC(env.spec, policy, *qfs, PathBuffer(100_000, env.spec))
    trainer = Trainer(SnapshotConfig(snapshot_dir=tempfile.mkdtemp(), **WAYS[way]))
    trainer.setup(algo, env)
    trainer.train(1, 1000)


def processor_seconds(algorithm: str, way: str) -> float:
    """Return what a process that trains one epoch takes, and those that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GARAGE_LIKE_TRY_RESTORE": "60"}
    words = [sys.executable, __file__, "--train", algorithm, way]
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int, algorithms: list[str]) -> None:
    """Measure each way, one after the other, and print the least of each."""
    for algorithm in algorithms:
        least = {way: min(processor_seconds(algorithm, way) for _ in range(rounds)) for way in WAYS}
        without = least["no snapshots"]
        for way, seconds in least.items():
            share = (seconds - without) / TEN_MINUTES
            print(f"{algorithm:<4} {way:<22} {seconds:6.2f} s {share:8.3%} of ten minutes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--algorithms", nargs="+", default=["PPO", "SAC"], choices=["PPO", "SAC"])
    parser.add_argument("--train", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(*given.train)
    else:
        main(given.rounds, given.algorithms)
