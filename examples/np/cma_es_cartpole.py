"""Train CartPole-v1 by CMA-ES, an evolution strategy that learns in which directions to look.

    python examples/np/cma_es_cartpole.py --seed 1

In each epoch every candidate plays `--batch-size` env steps. The policy is linear: its ten weights
are enough, and CMA-ES is at its best with few. The run goes to
data/local/experiment/cma_es_cartpole.
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos import CMAES
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=30, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=1000, show_default=True, help="Env steps per candidate.")
@click.option("--n-samples", default=20, show_default=True, help="Candidates per epoch.")
@wrap_experiment
def cma_es_cartpole(ctxt=None, *, seed, n_epochs, batch_size, n_samples):
    """Train CartPole-v1 by CMA-ES."""
    set_seed(seed)
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=())
    sampler = LocalSampler(agents=policy, envs=env)
    algo = CMAES(env.spec, policy, sampler, n_samples=n_samples)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    cma_es_cartpole()
