"""Train TRPO on CartPole-v1.

    python examples/torch/trpo_cartpole.py --seed 1

TRPO needs no learning rate: it takes the largest step within its trust region. The run goes to
data/local/experiment/trpo_cartpole.
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import TRPO
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=50, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2048, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def trpo_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TRPO on CartPole-v1."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(32, 32))
    sampler = LocalSampler(agents=policy, envs=env)
    algo = TRPO(env.spec, policy, value_function, sampler)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    trpo_cartpole()
