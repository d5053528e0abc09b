"""Train a policy that remembers, by TRPO, on CartPole-v1, in TensorFlow.

    python examples/tf/trpo_cartpole_recurrent.py --seed 1

The policy sees the observation and its previous action, and what a gated recurrent unit remembers
of the episode. The memory is part of the run: stop it in the middle of an episode, and it goes on
as if nothing had happened. An average return of 190 takes about 10 epochs. The run goes to
data/local/experiment/trpo_cartpole_recurrent.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import TRPO
from garage_like.tf.policies import CategoricalGRUPolicy
from garage_like.trainer import TFTrainer


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=60, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def trpo_cartpole_recurrent(ctxt=None, *, seed, n_epochs, batch_size):
    """Train TRPO with a GRU policy on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = GymEnv("CartPole-v1", max_episode_length=200)
        policy = CategoricalGRUPolicy(env.spec, hidden_dim=32)
        baseline = LinearFeatureBaseline(env.spec)
        sampler = LocalSampler(agents=policy, envs=env)
        algo = TRPO(env.spec, policy, baseline, sampler, max_kl_step=0.01)
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    trpo_cartpole_recurrent()
