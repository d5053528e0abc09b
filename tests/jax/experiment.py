"""An experiment as a user writes it: `experiment.py SEEDS`; KILL=n has it die in epoch n."""

import os
import signal
import sys

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import CartPole, JaxEnv
from garage_like.jax.policies import CategoricalMLPPolicy


class Mortal(PPO):
    def train_epoch(self, trainer):
        if os.environ.get("KILL") == str(trainer.step_itr):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train_epoch(trainer)


@wrap_experiment(auto_resume=True, snapshot_mode="all", archive_launch_repo=False)
def ppo_in_jax(ctxt=None, num_seeds=1):
    set_seed(1)
    env = JaxEnv(CartPole())
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    algo = Mortal(env, policy, num_envs=8, num_steps=16, num_seeds=num_seeds)
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(4, batch_size=128)


ppo_in_jax(num_seeds=int(sys.argv[1]))
