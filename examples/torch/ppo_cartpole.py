"""Train PPO on CartPole-v1: an experiment as short as they get.

    python examples/torch/ppo_cartpole.py --seed 1

Logs and snapshots go to data/local/experiment/ppo_cartpole; `garage-like ls` lists all runs.
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import PPO
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=50, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2048, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def ppo_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train PPO on CartPole-v1."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    sampler = LocalSampler(agents=policy, envs=env)
    algo = PPO(env.spec, policy, value_function, sampler)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    ppo_cartpole()
