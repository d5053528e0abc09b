"""An experiment that a scheduler interrupts: `preempted.py EPOCHS SECONDS`; knows nothing of it."""

import os
import sys
import time
from typing import Any

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler


class Slow(CEM):
    def train_epoch(self, trainer: Any) -> Any:
        time.sleep(float(os.environ.get("SECONDS_A_STEP") or sys.argv[2]))
        return super().train_epoch(trainer)


@wrap_experiment(console=False, archive_launch_repo=False)
def preempted(ctxt=None, *, seed=1, n_epochs=3):
    set_seed(seed)
    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    trainer = Trainer(ctxt)
    trainer.setup(
        Slow(env.spec, policy, LocalSampler(policy, env), n_samples=4, best_frac=0.5), env
    )
    trainer.train(n_epochs=n_epochs, batch_size=20)
    return n_epochs


if __name__ == "__main__":
    preempted(n_epochs=int(sys.argv[1]))
