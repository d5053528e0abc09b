"""What a resumed run in JAX costs up to the end of its first epoch: processor seconds, by stages.

    python benchmarks/jax_resume.py [ALGORITHM] [--rounds N] [--ways N]

A run of three epochs is made, then resumed in processes of their own, N times (three): with the
program that it kept beside it, and with JAX's own cache instead. Importing is told apart; sources
are compiled to bytecode once, as where a package is installed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

ONE = """
import contextlib, os, sys, time
began = time.process_time()
import gymnasium, jax, optax
jax.devices()
imported = time.process_time()
from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import DQN, PPO, SAC
from garage_like.jax.envs import CartPole, JaxEnv, Pendulum
from garage_like.jax.policies import (
    CategoricalMLPPolicy, DiscreteQFArgmaxPolicy, TanhGaussianMLPPolicy
)
from garage_like.snapshot import SnapshotConfig
ours = time.process_time()
KINDS = {
    "ppo": (PPO, CategoricalMLPPolicy, CartPole),
    "dqn": (DQN, DiscreteQFArgmaxPolicy, CartPole),
    "sac": (SAC, TanhGaussianMLPPolicy, Pendulum),
}
kind, policy, functions = KINDS[sys.argv[1]]

def tell(ended):
    if not hasattr(tell, "at"):
        tell.at = time.process_time()

set_seed(0)
env = JaxEnv(functions())
algo = kind(env, policy(env.spec), num_envs=8)
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    trainer = Trainer(SnapshotConfig(snapshot_dir=sys.argv[2], auto_resume=True))
    trainer.setup(algo, env, callbacks=[tell])
    trainer.train(int(sys.argv[3]), batch_size=2048)
print(imported - began, ours - imported, tell.at - ours)
"""


def seconds(folder, *arguments, **environment):
    script = os.path.join(folder, "one.py")
    if not os.path.exists(script):
        with open(script, "w") as file:
            file.write(ONE)
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", **bytecode, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(number) for number in done.stdout.split()[-3:]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("algorithm", nargs="?", default="ppo", choices=["ppo", "dqn", "sac"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", type=int, default=2, help="1 leaves JAX's own cache out")
    given = parser.parse_args()
    algorithm = given.algorithm
    for way in ("the program beside the run", "JAX's own cache")[: given.ways]:
        with tempfile.TemporaryDirectory() as folder:
            cache = {
                "JAX_COMPILATION_CACHE_DIR": f"{folder}/jax",
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
            }
            environment = cache if way.startswith("JAX") else {}
            run = f"{folder}/run"
            first = seconds(folder, algorithm, run, "3", **environment)
            again = [
                seconds(folder, algorithm, run, str(4 + i), **environment)
                for i in range(given.rounds)
            ]
            libraries, ours, rest = (statistics.median(x) for x in zip(*again, strict=True))
            print(
                f"{algorithm}, {way}: {libraries:.2f} s of importing libraries, {ours:.2f} of ours,"
                f" then {rest:.2f} to the end of the first epoch ({first[2]:.2f} when it was new)",
                flush=True,
            )
