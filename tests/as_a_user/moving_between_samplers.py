"""An experiment that collects here or in processes: `moving_between_samplers.py local|processes`.

With a second argument, `kill`, it dies in the epoch after its first snapshot.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import FragmentWorker, LocalSampler, MultiprocessingSampler
from garage_like.torch.algos import PPO
from garage_like.torch.policies import CategoricalMLPPolicy

WHERE = LocalSampler if sys.argv[1] == "local" else MultiprocessingSampler
DIES = sys.argv[2:] == ["kill"]


class Slow(PPO):
    """Leave time to be killed in an epoch after the first snapshot."""

    def train_epoch(self, trainer: Any) -> Any:
        time.sleep(0.3 if DIES else 0.0)
        return super().train_epoch(trainer)


def die_after_a_snapshot() -> None:
    before = saved()
    while saved() == before:
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(os.getpid(), 9)


def saved() -> int:
    return len(list(Path("data/local/experiment/moving/snapshots").glob("epoch_*/manifest.json")))


@wrap_experiment(auto_resume=True, snapshot_mode="all", console=False, archive_launch_repo=False)
def moving(ctxt, *, seed=1):
    set_seed(seed)
    env = normalize(GymEnv("CartPole-v1", max_episode_length=40), normalize_obs=True)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    sampler = WHERE(
        policy, env, n_workers=2, worker_class=FragmentWorker, worker_args={"n_envs": 2}
    )
    algo = Slow(env.spec, policy, LinearFeatureBaseline(env.spec), sampler)
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs=5, batch_size=130)


if __name__ == "__main__":
    if DIES:
        threading.Thread(target=die_after_a_snapshot, daemon=True).start()
    moving()
