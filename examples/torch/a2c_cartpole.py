"""Train A2C on CartPole-v1: one gradient step after every 5 steps of 16 environments.

python examples/torch/a2c_cartpole.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.torch.algos import A2C
from garage_like.torch.policies import CategoricalMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=80, show_default=True, help="Env steps, 100 times an epoch.")
@wrap_experiment
def a2c_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train A2C on CartPole-v1."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(64, 64))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(64, 64))
    sampler = LocalSampler(
        agents=policy, envs=env, worker_class=FragmentWorker, worker_args={"n_envs": 16}
    )
    algo = A2C(env.spec, policy, value_function, sampler, num_train_per_epoch=100)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    a2c_cartpole()
