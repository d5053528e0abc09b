"""Train TRPO on CartPole-v1 with a policy that remembers: a gated recurrent unit.

python examples/torch/trpo_cartpole_recurrent.py --seed 1
"""

import click

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import TRPO
from garage_like.torch.policies import CategoricalGRUPolicy


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=20, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def trpo_cartpole_recurrent(ctxt=None, *, seed, n_epochs, batch_size):
    """Train recurrent TRPO on CartPole-v1."""
    set_seed(seed)
    env = GymEnv("CartPole-v1", max_episode_length=100)
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=16)
    baseline = LinearFeatureBaseline(env.spec)
    sampler = LocalSampler(agents=policy, envs=env)
    algo = TRPO(env.spec, policy, baseline, sampler)

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    trpo_cartpole_recurrent()
