"""Measure a TRPO epoch of 4,000 env steps in TensorFlow beside its twin in torch.

Both train in one process, in turns, on the same environment, networks and settings, with a linear
baseline; processor time counts, and the median of the epochs, since a shared machine's speed
changes by the minute. What tracing costs TensorFlow once shows in its first epoch.
"""

import argparse
import statistics
import time

from garage_like.envs import GymEnv
from garage_like.logging import tabular
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.tf import algos as tf_algos
from garage_like.tf import policies as tf_policies
from garage_like.torch import algos as torch_algos
from garage_like.torch import policies as torch_policies
from garage_like.trainer import TFTrainer

BACKENDS = {
    "torch": (torch_algos, torch_policies),
    "TensorFlow": (tf_algos, tf_policies),
}


def make_trainer(backend):
    """Return a trainer that saves nothing, with TRPO on CartPole set up."""
    algos, policies = BACKENDS[backend]
    set_seed(1)
    env = GymEnv("CartPole-v1", max_episode_length=200)
    policy = policies.CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    sampler = LocalSampler(policy, env)
    trainer = TFTrainer(SnapshotConfig(snapshot_dir=".", snapshot_mode="none"))
    trainer.enable_logging = False
    trainer.setup(algos.TRPO(env.spec, policy, LinearFeatureBaseline(env.spec), sampler), env)
    return trainer


def seconds_of(trainer, batch_size):
    """Train one epoch; return its processor time in seconds."""
    started = time.process_time()
    trainer.train(1, batch_size)
    seconds = time.process_time() - started
    tabular.mark_all()
    tabular.clear()
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=4000, help="env steps per epoch")
    arguments = parser.parse_args()

    trainers = {backend: make_trainer(backend) for backend in BACKENDS}
    rounds = [
        {backend: seconds_of(t, arguments.batch_size) for backend, t in trainers.items()}
        for _ in range(arguments.epochs)
    ]
    print(f"{'backend':>12} {'first epoch':>12} {'median':>8}   seconds of processor time")
    medians = {}
    for backend in BACKENDS:
        medians[backend] = statistics.median(each[backend] for each in rounds)
        print(f"{backend:>12} {rounds[0][backend]:12.2f} {medians[backend]:8.3f}")
    print(f"ratio: {medians['TensorFlow'] / medians['torch']:.2f}")


if __name__ == "__main__":
    main()
