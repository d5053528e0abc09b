"""Train REPS on CartPole-v1, in TensorFlow.

    python examples/tf/reps_cartpole.py --seed 1

Relative entropy policy search has no learning rate and no value network: it weights each step by
how it turned out, and fits the policy to the weighted actions. The run goes to
data/local/experiment/reps_cartpole.
"""

import click

from garage_like import wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import REPS
from garage_like.tf.policies import CategoricalMLPPolicy
from garage_like.trainer import TFTrainer


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=40, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=4000, show_default=True, help="Env steps per epoch.")
@wrap_experiment
def reps_cartpole(ctxt=None, *, seed, n_epochs, batch_size):
    """Train REPS on CartPole-v1."""
    set_seed(seed)
    with TFTrainer(ctxt) as trainer:
        env = GymEnv("CartPole-v1", max_episode_length=200)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(32, 32))
        sampler = LocalSampler(agents=policy, envs=env)
        algo = REPS(env.spec, policy, sampler=sampler, epsilon=0.5)
        trainer.setup(algo, env)
        trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    reps_cartpole()
