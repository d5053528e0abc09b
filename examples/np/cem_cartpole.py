"""Train CartPole-v1 by the cross-entropy method: no gradients, and no framework is loaded.

    python examples/np/cem_cartpole.py --seed 1

In each epoch every candidate plays `--batch-size` env steps. The run goes to
data/local/experiment/cem_cartpole.
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=1000, show_default=True, help="Env steps per candidate.")
@click.option("--n-samples", default=20, show_default=True, help="Candidates per epoch.")
@wrap_experiment
def cem_cartpole(ctxt=None, *, seed, n_epochs, batch_size, n_samples):
    """Train CartPole-v1 by the cross-entropy method."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    sampler = LocalSampler(agents=policy, envs=env)
    algo = CEM(env.spec, policy, sampler, n_samples=n_samples, best_frac=0.2, extra_decay_time=10)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    cem_cartpole()
