"""An experiment that a sweep varies; `SLOW` leaves time to be killed, `MIRROR` is a URL or none."""

import os
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
        time.sleep(float(os.environ.get("SLOW", "0")))
        if "TRAINED" in os.environ:
            with open(os.environ["TRAINED"], "a") as file:
                file.write(f"{trainer.run_dir.name} {trainer.step_itr}\n")
        return super().train_epoch(trainer)


@wrap_experiment(console=False, archive_launch_repo=False, mirror=os.environ.get("MIRROR"))
def swept(ctxt=None, *, best_frac=0.5, extra_std=1.0, name="x", seed=0):
    if name == "broken":
        raise KeyError(name)
    set_seed(seed)
    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    sampler = LocalSampler(policy, env)
    options = {"best_frac": best_frac, "extra_std": extra_std}
    algo = Slow(env.spec, policy, sampler, n_samples=4, **options)
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs=4, batch_size=20)


if __name__ == "__main__":
    swept(name="from the script")
