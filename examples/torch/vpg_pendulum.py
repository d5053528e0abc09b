"""Train VPG on Pendulum-v1: one gradient step for each batch, so it learns slowly.

    python examples/torch/vpg_pendulum.py --seed 1

Compare it with ppo_pendulum.py and trpo_pendulum.py, which make more of the same env steps.
"""

import click
import torch

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.torch.algos import VPG
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=100, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def vpg_pendulum(ctxt=None, *, seed, n_epochs, batch_size):
    """Train VPG on Pendulum-v1."""
    set_seed(seed)
    env = normalize(GymEnv("Pendulum-v1"))
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    sampler = LocalSampler(agents=policy, envs=env, worker_class=VecWorker)
    algo = VPG(
        env.spec,
        policy,
        value_function,
        sampler,
        policy_optimizer=OptimizerWrapper((torch.optim.Adam, {"lr": 1e-2}), policy),
        discount=0.9,
        gae_lambda=0.95,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    vpg_pendulum()
