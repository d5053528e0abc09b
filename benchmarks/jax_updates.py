"""Gradient steps of DQN and SAC a processor second, in JAX: ours, and those of sbx.

    python benchmarks/jax_updates.py [PYTHON] [--rounds N] [--algorithms DQN SAC]

PYTHON is that of an environment where sbx-rl is installed; without it only ours are measured. Both
take one env step in one environment for each gradient step, with the same networks and minibatches,
on CartPole and Pendulum; compiling and the first steps do not count. They take turns.
"""

import argparse
import os
import statistics
import subprocess
import sys

OURS = """
import contextlib, os, sys, time
from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import DQN, SAC
from garage_like.jax.envs import CartPole, JaxEnv, Pendulum
from garage_like.jax.policies import DiscreteQFArgmaxPolicy, TanhGaussianMLPPolicy

kind, policy, env = {
    "DQN": (DQN, DiscreteQFArgmaxPolicy, CartPole),
    "SAC": (SAC, TanhGaussianMLPPolicy, Pendulum),
}[sys.argv[1]]
marks = []

class Timed(kind):
    def train_epoch(self, trainer):
        marks.append(time.process_time())
        return super().train_epoch(trainer)

set_seed(0)
env = JaxEnv(env())
algo = Timed(
    env,
    policy(env.spec, (64, 64), "relu"),
    buffer_batch_size=64,
    min_buffer_size=100,
    num_evaluation_episodes=0,
)
trainer = Trainer(None)
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    trainer.setup(algo, env)
    trainer.train(6, batch_size=2000)
print(2000 * 4 / (marks[5] - marks[1]))
"""

SBX = """
import sys, time
import sbx

marks = {}

def mark(found, _):
    step = found["self"].num_timesteps
    if step in (1000, 4000):
        marks[step] = time.process_time()
    return True

env = {"DQN": "CartPole-v1", "SAC": "Pendulum-v1"}[sys.argv[1]]
model = getattr(sbx, sys.argv[1])(
    "MlpPolicy",
    env,
    batch_size=64,
    learning_starts=100,
    train_freq=1,
    gradient_steps=1,
    policy_kwargs={"net_arch": [64, 64]},
    seed=0,
)
model.learn(4000, callback=mark)
print(3000 / (marks[4000] - marks[1000]))
"""


def rate(python, code, algorithm):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, algorithm],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    sides = {"ours": (sys.executable, OURS)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", nargs="?", help="of an environment where sbx-rl is installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--algorithms", nargs="+", default=["DQN", "SAC"], choices=["DQN", "SAC"])
    given = parser.parse_args()
    if given.python:
        sides["sbx"] = (given.python, SBX)
    for algorithm in given.algorithms:
        found = {name: [] for name in sides}
        for _ in range(given.rounds):
            for name, (python, code) in sides.items():
                found[name].append(rate(python, code, algorithm))
        rates = {name: statistics.median(values) for name, values in found.items()}
        told = ", ".join(f"{name} {value:,.0f}" for name, value in rates.items())
        print(f"{algorithm}: gradient steps a processor second: {told}", flush=True)
