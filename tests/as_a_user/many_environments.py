"""PPO on many environments: by their number, or as a vector environment of gymnasium's own.

`many_environments.py native|sync [DIES_IN]`
"""

import os
import sys

import gymnasium

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import PPO
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

FORM = sys.argv[1]
DIES_IN = int(sys.argv[2]) if len(sys.argv) > 2 else None


class Mortal(PPO):
    def train_epoch(self, trainer):
        if trainer.step_itr == DIES_IN:
            os._exit(9)
        return super().train_epoch(trainer)


@wrap_experiment(auto_resume=True, snapshot_mode="all", console=False)
def train(ctxt, seed=1):
    set_seed(seed)
    trainer = Trainer(ctxt)
    if FORM == "native":
        env = GymEnv("CartPole-v1")
    else:
        env = GymEnv(gymnasium.make_vec("CartPole-v1", 64, vectorization_mode="sync"))
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(8,))
    n_envs = 64 if FORM == "native" else None
    algo = Mortal(env.spec, policy, value_function, LocalSampler(policy, env, n_envs=n_envs))
    trainer.setup(algo, env)
    trainer.train(n_epochs=6, batch_size=640)


train()
