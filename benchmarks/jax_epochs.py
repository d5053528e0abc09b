"""What the trainer costs PPO in JAX, and what a snapshot of 50 MB costs: processor time.

    python benchmarks/jax_epochs.py [ENVS...] [--rounds N] [--epochs N]

The other side is the script of `with_jax.py` with the same settings, which logs and saves
nothing but reads its metrics every epoch. Both are compiled first, and take turns.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time

import jax
import jax.numpy as jnp
import numpy as np
from with_jax import ppo
from works import Work

from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import CartPole, JaxEnv
from garage_like.jax.policies import CategoricalMLPPolicy
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.known_names import KnownNames
from garage_like.snapshot.staging import Staging

UPDATES, WARM = 8, 3
SETTINGS = {"learning_rate": 2.5e-4, "gae_lambda": 0.95}


class Timed(PPO):
    def train_epoch(self, trainer):
        self.marks.append(time.process_time())
        return super().train_epoch(trainer)

    marks: list[float] = []


def bare_seconds(made, epochs):
    init, epoch = made
    learner = init(jax.random.key(0))
    for i in range(epochs):
        if i == WARM:
            began = time.process_time()
        learner, metrics = epoch(learner)
        jax.tree.map(np.asarray, metrics)
    return (time.process_time() - began) / (epochs - WARM)


def trainer_seconds(envs, steps, epochs):
    set_seed(0)
    env = JaxEnv(CartPole())
    algo = Timed(env, CategoricalMLPPolicy(env.spec), num_envs=envs, num_steps=steps)
    algo.marks = []
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        trainer = Trainer(SnapshotConfig(snapshot_dir=folder))
        trainer.setup(algo, env)
        trainer.train(epochs, batch_size=envs * steps * UPDATES)
    return (algo.marks[-1] - algo.marks[WARM]) / (epochs - 1 - WARM)


def capture_milliseconds(tree):
    staging, known, found = Staging(), KnownNames(), []
    for _ in range(9):
        staging.clear()
        began = time.process_time()
        capture({"algo": {"params": tree}}, staging, known_names=known)
        found.append(1e3 * (time.process_time() - began))
    return statistics.median(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("envs", type=int, nargs="*", default=[8, 128, 2048])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of each run, above 4; by default 9 to 60")
    given = parser.parse_args()
    arrays = [jnp.full((1250, 1000), i, jnp.float32) for i in range(10)]
    ours, numpys = (capture_milliseconds(tree) for tree in (arrays, [np.array(a) for a in arrays]))
    print(f"capture of 50 MB: {ours:.1f} ms of JAX, {numpys:.1f} ms of NumPy")
    for envs in given.envs:
        steps = max(16, 1024 // envs)
        epochs = given.epochs or {8: 60, 128: 40}.get(envs, 9)
        rollout = envs * steps
        options = {"rollout": rollout, "batch_size": rollout // 4, "passes": 4}
        made = ppo(Work("CartPole-v1", 0, 0, 0, envs, **SETTINGS, **options), UPDATES)
        pairs = [
            (bare_seconds(made, epochs), trainer_seconds(envs, steps, epochs))
            for _ in range(given.rounds)
        ]
        theirs, mine = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"{envs} environments: {1e3 * theirs:.1f} ms an epoch bare, {1e3 * mine:.1f} under the"
            f" trainer with logs and snapshots; {theirs / mine:.2f} of its speed",
            flush=True,
        )
